"""Rows that the API tests look at: a host, a flavor, servers with addresses and a past."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.utils import timezone

from compute.models import ActionEvent, Server, ServerAction, ServerFault
from compute.network.services import ports, seed
from compute.states import VmState
from tests.kit.compute import FlavorFactory, HostFactory, ServerFactory, make_image


def make_server(ctx: Any, *, address: bool = True, **fields: Any) -> Server:
    """Return an active server of the caller's project, with an address unless told otherwise."""
    known = {
        "name": "web1",
        "project_id": ctx.project_id,
        "user_id": ctx.user_id,
        "image_id": "70a599e0-31e7-49b7-b260-868f441e862b",
        "host": "host1",
        "launched_at": timezone.now(),
        "metadata": {"role": "web"},
    }
    server = ServerFactory(**{**known, **fields})
    if address:
        seed.seed()
        ports.allocate(ctx=ctx, project_id=server.project_id, device_id=server.pk, networks=None)
    return server


def make_fault(server: Server) -> ServerFault:
    """Put the server into ERROR, with a sentence."""
    Server.objects.filter(pk=server.pk).update(vm_state=VmState.ERROR)
    return ServerFault.objects.create(server=server, message="No valid host was found.", details="Traceback: <b>")


def make_action(server: Server, *, request_id: str, minutes_ago: int = 0) -> ServerAction:
    """Return a finished action with one step."""
    at = timezone.now() - timedelta(minutes=minutes_ago)
    action = ServerAction.objects.create(
        server=server,
        action="stop",
        request_id=request_id,
        user_id=server.user_id,
        project_id=server.project_id,
        started_at=at,
        updated_at=at,
        finished_at=at,
    )
    ActionEvent.objects.create(
        action=action,
        name="compute_stop_instance",
        host=server.host,
        detail="went down",
        started_at=at,
        finished_at=at,
        result="Success",
    )
    return action


def furnish(personas: Any) -> SimpleNamespace:
    """Return a small cloud: host, flavor, image, the member's server and the stranger's."""
    member, stranger = personas.member.ctx, personas.stranger.ctx
    return SimpleNamespace(
        host=HostFactory(name="host1", disk_gb=100, disk_gb_free=80),
        flavor=FlavorFactory(flavor_id="1", name="m1.tiny"),
        image=make_image(owner=member.project_id),
        server=make_server(member),
        foreign=make_server(stranger, name="theirs"),
    )
