"""The VNC console: a window of its own, and the access that its script asks for at each connection."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache

from compute.selectors import get_server
from compute.services import consoles
from compute.states import TaskState, VmState
from portal.dashboard.instances.words import status_of
from portal.dashboard.kit.pages import PageResponse, PageView


class WindowView(PageView):
    def get(self, request: HttpRequest, pk: Any) -> PageResponse:
        return render(request, "console/window.html", {"server": get_server(self.ctx, str(pk))})


@method_decorator(never_cache, name="dispatch")
class TokenWindowView(View):
    """The console behind an address that the compute API gave out: its token, good once, is the only right needed."""

    def get(self, request: HttpRequest) -> HttpResponse:
        query = urlencode({"token": token_of(request)})
        return render(request, "console/window.html", {"websocket": f"/ws/vnc/?{query}"})


class AccessView(PageView):
    """POST issues one access. A machine that is off is told apart, since the page then waits for it."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: Any) -> PageResponse:
        server = get_server(self.ctx, str(pk))
        if server.vm_state != VmState.ACTIVE or server.task_state == TaskState.DELETING:
            words = _("%(name)s is %(status)s. The console opens when it runs.")
            facts = {"name": server.name, "status": status_of(server).word.lower()}
            return JsonResponse({"message": words % facts, "off": True}, status=409)
        access = consoles.issue(ctx=self.ctx, server=server, kind="novnc")
        return JsonResponse({"websocket": access.websocket_path}, headers={"Cache-Control": "no-store"})


def token_of(request: HttpRequest) -> str:
    """Return the token of an address: noVNC's pages are given the websocket as ``path``. Nothing else of it is followed."""
    inner = parse_qs(urlsplit(request.GET.get("path", "")).query)
    return str(inner.get("token", [request.GET.get("token", "")])[0])
