"""Consoles: a window of their own, the access that its script asks for at each connection, native viewers, and who else is here."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache

from compute.models import Server
from compute.selectors import get_server
from compute.services import console_visits, consoles, native_viewers
from portal.core.errors import CloudError, Conflict, NotFound
from portal.dashboard.console.files import FILES
from portal.dashboard.console.modes import modes
from portal.dashboard.instances.words import predicate_of
from portal.dashboard.kit.pages import PageResponse, PageView, refused


class WindowView(PageView):
    def get(self, request: HttpRequest, pk: Any) -> PageResponse:
        server = get_server(self.ctx, str(pk))
        facts = modes(self.ctx, server, request.GET.get("show", ""), reverse("console:window", args=[server.pk]))
        return render(request, "console/window.html", {"server": server, **facts})


@method_decorator(never_cache, name="dispatch")
class TokenWindowView(View):
    """The console behind an address that the compute API gave out: its token, good once, is the only right needed."""

    def get(self, request: HttpRequest) -> HttpResponse:
        query = urlencode({"token": token_of(request)})
        return render(request, "console/window.html", {"websocket": f"/ws/vnc/?{query}", "mode": "screen"})


class AccessView(PageView):
    """POST issues one access. A machine that is off is told apart, since the page then waits for it."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: Any) -> PageResponse:
        server = get_server(self.ctx, str(pk))
        kind = consoles.SERIAL if request.POST.get("kind") == consoles.SERIAL else consoles.NOVNC
        if is_off(server):
            return JsonResponse({"message": why_off(server), "off": True}, status=409)
        access = consoles.issue(ctx=self.ctx, server=server, kind=kind, session_key=request.session.session_key)
        answer = {"websocket": access.websocket_path, "visit": access.visit}
        return JsonResponse(answer, headers={"Cache-Control": "no-store"})


class NativeView(PageView):
    """POST leads to all that a native viewer needs."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: Any) -> PageResponse:
        server = get_server(self.ctx, str(pk))
        if is_off(server):
            raise Conflict(why_off(server))
        session_key = request.session.session_key
        access = consoles.issue(ctx=self.ctx, server=server, kind=consoles.NATIVE, session_key=session_key)
        return redirect(f"{reverse('token-viewer')}?{urlencode({'token': access.token})}")


@method_decorator(never_cache, name="dispatch")
class TokenViewerView(View):
    """Host, port and password behind an address of type xvpvnc, or a file of them for one viewer. Looking spends nothing."""

    def get(self, request: HttpRequest) -> PageResponse:
        token, wanted = request.GET.get("token", ""), request.GET.get("file", "")
        try:
            access = native_viewers.access_of(token)
            if wanted and wanted not in FILES:
                raise NotFound("File", wanted)
        except CloudError as error:
            return refused(request, error)
        if not wanted:
            files = [(label, f"?{urlencode({'token': token, 'file': name})}") for name, (label, _text) in FILES.items()]
            return render(request, "console/viewer.html", {"access": access, "files": files})
        answer = HttpResponse(FILES[wanted][1](access), content_type="application/octet-stream")
        answer["Content-Disposition"] = f'attachment; filename="console.{wanted}"'
        return answer


class VisitorsView(PageView):
    """Who has a console of the instance open now."""

    def get(self, request: HttpRequest, pk: Any) -> PageResponse:
        found = console_visits.visitors(ctx=self.ctx, server=get_server(self.ctx, str(pk)))
        rows = [{"visit": one.visit, "name": one.name, "kind": one.kind, "since": one.since.isoformat()} for one in found]
        return JsonResponse({"visitors": rows}, headers={"Cache-Control": "no-store"})


def is_off(server: Server) -> bool:
    """Whether there is nothing to look at now."""
    return not consoles.has_display(server)


def why_off(server: Server) -> str:
    """Return what the machine does instead of running."""
    facts = {"name": server.name, "status": predicate_of(server)}
    return _("%(name)s is %(status)s. The console opens when it runs.") % facts


def token_of(request: HttpRequest) -> str:
    """Return the token of an address: noVNC's pages are given the websocket as ``path``. Nothing else of it is followed."""
    inner = parse_qs(urlsplit(request.GET.get("path", "")).query)
    return str(inner.get("token", [request.GET.get("token", "")])[0])
