"""The logs of earlier boots: a list in the dialog, and each as a file."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from compute.selectors import get_server
from compute.services import console_boots
from portal.dashboard.kit.pages import PageResponse, PageView, panel


class BootsView(PageView):
    def get(self, request: HttpRequest, pk: Any) -> PageResponse:
        server = get_server(self.ctx, str(pk))
        return panel(
            request, "console/boots.html", {"server": server, "boots": console_boots.earlier(ctx=self.ctx, server=server)}
        )


class BootLogView(PageView):
    def get(self, request: HttpRequest, pk: Any, number: int) -> PageResponse:
        server = get_server(self.ctx, str(pk))
        text = console_boots.log_of(ctx=self.ctx, server=server, number=number)
        answer = HttpResponse(text, content_type="text/plain; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{server.pk}-{number}.log"'
        return answer
