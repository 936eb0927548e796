"""Resize and what ends it, moves to other hosts (compute API reference, "Servers - run an action")."""

from typing import Any

from rest_framework.response import Response

from compute.api.v2_1 import versions
from compute.api.v2_1.actions.handler import ACCEPTED, Handler, simple
from compute.api.v2_1.serializers import move_actions as bodies
from compute.api.v2_1.serializers.base import read
from compute.models import Server
from compute.services import moves, resizing
from portal.core.context import RequestContext
from portal.core.versions import Version


def _resize(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    wish = read(bodies.Resize, body, version)
    resizing.resize(ctx=ctx, server=server, flavor_id=wish["flavorRef"], auto_disk_config=wish.get(bodies.DISK_CONFIG))
    return Response(status=ACCEPTED)


def _confirm(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    resizing.confirm(ctx=ctx, server=server)
    return Response(status=204)


def _migrate(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    wish = read(bodies.Migrate, body, version) if version >= versions.MIGRATE_HOST and body is not None else {}
    moves.migrate(ctx=ctx, server=server, host=wish.get("host"))
    return Response(status=ACCEPTED)


def _migrate_live(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    wish = read(bodies.MigrateLive, body, version)
    moves.migrate_live(ctx=ctx, server=server, host=wish["host"])
    return Response(status=ACCEPTED)


def _evacuate(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    wish = read(bodies.Evacuate, body, version)
    moves.evacuate(ctx=ctx, server=server, host=wish.get("host"))
    return Response(status=200)


ACTIONS: dict[str, Handler] = {
    "resize": _resize,
    "confirmResize": _confirm,
    "revertResize": simple(resizing.revert),
    "migrate": _migrate,
    "os-migrateLive": _migrate_live,
    "evacuate": _evacuate,
}
