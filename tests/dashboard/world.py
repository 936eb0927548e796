"""Rows that the pages show."""

from typing import Any

from compute.models import Server
from compute.network.services import ports, seed
from tests.kit.compute import ServerFactory


def make_server(ctx: Any, *, address: bool = True, **fields: Any) -> Server:
    """Return a running server of the caller's project, with an address unless told otherwise."""
    server = ServerFactory(**{"project_id": ctx.project_id, "user_id": ctx.user_id, "host": "host1", **fields})
    if address:
        seed.seed()
        ports.allocate(ctx=ctx, project_id=server.project_id, device_id=server.pk, networks=None)
    return server
