"""Consoles (compute API reference, "Server consoles", "Create remote console", "Show console connection information")."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from compute import selectors
from compute.api.v2_1 import versions
from compute.api.v2_1.base import ComputeView
from compute.api.v2_1.serializers import consoles as bodies
from compute.api.v2_1.serializers.base import read
from compute.models import Server
from compute.services import console_places, consoles
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Gone, NotFound
from portal.core.versions import Version

_PROTOCOLS = {consoles.NOVNC: "vnc", consoles.NATIVE: "vnc", consoles.SERIAL: "serial"}


def output(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    """The console log, or its last lines."""
    length = read(bodies.ConsoleOutputBody, body if body is not None else {}, version).get("length")
    lines = None if length in (None, bodies.UNLIMITED) else length
    return Response({"output": consoles.output(ctx=ctx, server=server, lines=lines)})


def vnc(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    """A display, in the page or for a native viewer."""
    return _by_action(ctx, server, body, version, bodies.VncBody)


def spice(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    """Refused: guests have no SPICE display."""
    return _by_action(ctx, server, body, version, bodies.SpiceBody)


def serial(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    """The first serial port."""
    return _by_action(ctx, server, body, version, bodies.SerialBody)


def rdp(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    """Refused: it went with a hypervisor that nobody has any more."""
    _require_actions(version)
    raise Gone("RDP consoles are not offered any more.")


def _by_action(ctx: RequestContext, server: Server, body: Any, version: Version, shape: Any) -> Response:
    _require_actions(version)
    kind = read(shape, body, version)["type"]
    return Response({"console": {"type": kind, "url": consoles.issue(ctx=ctx, server=server, kind=kind).url}})


def _require_actions(version: Version) -> None:
    """Newer clients ask for consoles at an address of their own."""
    if version > versions.LAST_CONSOLE_ACTIONS:
        raise NotFound("Resource", "", "The resource could not be found.")


ACTIONS = {
    "os-getConsoleOutput": output,
    "os-getVNCConsole": vnc,
    "os-getSPICEConsole": spice,
    "os-getSerialConsole": serial,
    "os-getRDPConsole": rdp,
}


class RemoteConsolesView(ComputeView):
    """POST /servers/{id}/remote-consoles."""

    since = versions.REMOTE_CONSOLES

    def post(self, request: Request, server_id: str) -> Response:
        body = read(bodies.RemoteConsole, request.data, self.version)["remote_console"]
        server = selectors.get_server(self.ctx, server_id)
        protocol, kind = body["protocol"], body["type"]
        if protocol != _PROTOCOLS.get(kind, protocol):
            raise BadRequest(f"Invalid console type {kind}")
        access = consoles.issue(ctx=self.ctx, server=server, kind=kind)
        return Response({"remote_console": {"protocol": protocol, "type": kind, "url": access.url}})


class ConsoleTokenView(ComputeView):
    """GET /os-console-auth-tokens/{token}: what a proxy of the operator's own would have to connect to."""

    def get(self, request: Request, token: str) -> Response:
        place = console_places.place_of(ctx=self.ctx, token=token)
        if self.version < versions.CONSOLE_TOKENS:
            raise BadRequest("The requested console type details are not accessible")
        found = {
            "instance_uuid": place.server_id,
            "host": place.host,
            "port": place.port,
            "internal_access_path": place.path,
        }
        return Response({"console": found})
