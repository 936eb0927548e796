"""POST /servers/{id}/action (compute API reference, "Servers - run an action")."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from compute import selectors
from compute.api.v2_1.actions import sizes, states
from compute.api.v2_1.actions.handler import Handler
from compute.api.v2_1.base import ComputeView
from compute.api.v2_1.serializers import actions as bodies
from compute.api.v2_1.serializers.base import read
from compute.api.v2_1.views import consoles, copying, interfaces
from compute.models import Server
from compute.services import power
from portal.core.context import RequestContext
from portal.core.errors import BadRequest
from portal.core.versions import Version


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


_ACTIONS: dict[str, Handler] = {
    "os-start": _start,
    "os-stop": _stop,
    "reboot": _reboot,
    **consoles.ACTIONS,
    **interfaces.ACTIONS,
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
