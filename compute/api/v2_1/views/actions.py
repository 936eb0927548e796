"""POST /servers/{id}/action (compute API reference, "Servers - run an action") and remote consoles."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from compute import selectors
from compute.api.v2_1 import versions
from compute.api.v2_1.actions import sizes, states
from compute.api.v2_1.actions.handler import Handler
from compute.api.v2_1.base import ComputeView
from compute.api.v2_1.serializers import actions as bodies
from compute.api.v2_1.serializers.base import read
from compute.api.v2_1.views import copying
from compute.models import Server
from compute.services import consoles, power
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, NotFound
from portal.core.versions import Version

_VNC_TYPES = frozenset({"novnc"})


def _start(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    power.start(ctx=ctx, server=server)
    return Response(status=202)


def _stop(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    power.stop(ctx=ctx, server=server)
    return Response(status=202)


def _reboot(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    kind = read(bodies.Reboot, {"reboot": body}, version)["reboot"]["type"]
    power.reboot(ctx=ctx, server=server, hard=kind.upper() == "HARD")
    return Response(status=202)


def _console_output(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    length = read(bodies.ConsoleOutputBody, body if body is not None else {}, version).get("length")
    lines = None if length in (None, bodies.UNLIMITED) else length
    return Response({"output": consoles.output(ctx=ctx, server=server, lines=lines)})


def _vnc(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    if version > versions.LAST_CONSOLE_ACTIONS:
        raise NotFound("Resource", "", "The resource could not be found.")
    kind = read(bodies.VncBody, body, version)["type"]
    return Response({"console": {"type": kind, "url": _console_url(ctx, server, kind)}})


def _console_url(ctx: RequestContext, server: Server, kind: str) -> str:
    if kind not in _VNC_TYPES:
        raise BadRequest(f"Unavailable console type {kind}.")
    return consoles.issue(ctx=ctx, server=server, kind=kind).url


_ACTIONS: dict[str, Handler] = {
    "os-start": _start,
    "os-stop": _stop,
    "reboot": _reboot,
    "os-getConsoleOutput": _console_output,
    "os-getVNCConsole": _vnc,
    **copying.ACTIONS,
    **states.ACTIONS,
    **sizes.ACTIONS,
}


class ServerActionView(ComputeView):
    """Runs the one action that the body names."""

    def post(self, request: Request, server_id: str) -> Response:
        body = request.data
        if not isinstance(body, dict) or len(body) != 1:
            raise BadRequest("Malformed request body: it must name exactly one action.")
        name, arguments = next(iter(body.items()))
        handler = _ACTIONS.get(name)
        if handler is None:
            raise BadRequest(f"There is no such action: {name[:50]}")
        server = selectors.get_server(self.ctx, server_id)
        return handler(self.ctx, server, arguments, self.version)


class RemoteConsolesView(ComputeView):
    """POST /servers/{id}/remote-consoles."""

    since = versions.REMOTE_CONSOLES

    def post(self, request: Request, server_id: str) -> Response:
        body = read(bodies.RemoteConsole, request.data, self.version)["remote_console"]
        server = selectors.get_server(self.ctx, server_id)
        url = _console_url(self.ctx, server, body["type"])
        return Response({"remote_console": {"protocol": body["protocol"], "type": body["type"], "url": url}})
