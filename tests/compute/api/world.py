"""Rows that the API tests look at: a host, flavors, servers with addresses."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.utils import timezone

from compute.models import ActionEvent, Flavor, Host, Server, ServerAction, ServerFault, ServerNumber, Service
from compute.network.services import ports, seed
from compute.states import PowerState, VmState
from images.models import Image

SMALL = {"vcpus": 1, "ram_mb": 512, "root_gb": 1}


def make_host(name: str = "host1", zone: str = "nova", **fields: Any) -> Host:
    """Return a compute host that reported a moment ago."""
    service = Service.objects.create(binary="nova-compute", host=name, zone=zone, seen_at=timezone.now())
    figures = {"vcpus": 8, "memory_mb": 16384, "disk_gb": 100, "disk_gb_free": 80, "hypervisor_type": "QEMU"}
    return Host.objects.create(name=name, service=service, hypervisor_version=9000000, **{**figures, **fields})


def make_flavor(flavor_id: str = "1", name: str = "m1.tiny", **fields: Any) -> Flavor:
    """Return a flavor."""
    found, _made = Flavor.objects.get_or_create(flavor_id=flavor_id, defaults={"name": name, **SMALL, **fields})
    return found


def make_image(ctx: Any, **fields: Any) -> Image:
    """Return an active public image of the caller's project."""
    known = {"name": "cirros", "status": "active", "visibility": "public", "disk_format": "qcow2", "container_format": "bare"}
    content = {"size": 1024, "checksum": "d41d8cd98f00b204e9800998ecf8427e", "store": "file"}
    return Image.objects.create(owner=ctx.project_id, **{**known, **content, **fields})


def make_server(ctx: Any, *, address: bool = True, **fields: Any) -> Server:
    """Return an active server of the caller's project, with an address."""
    now = timezone.now()
    known = {
        "name": "web1",
        "hostname": "web1",
        "project_id": ctx.project_id,
        "user_id": ctx.user_id,
        "reservation_id": "r-12345678",
        "image_id": "70a599e0-31e7-49b7-b260-868f441e862b",
        "flavor_id": "1",
        "flavor_name": "m1.tiny",
        "host": "host1",
        "availability_zone": "nova",
        "vm_state": VmState.ACTIVE,
        "power_state": PowerState.RUNNING,
        "request_id": ctx.request_id,
        "launched_at": now,
        "metadata": {"role": "web"},
        **SMALL,
    }
    server = Server.objects.create(number=ServerNumber.objects.create(), **{**known, **fields})
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
        host=make_host(),
        flavor=make_flavor(),
        image=make_image(member),
        server=make_server(member),
        foreign=make_server(stranger, name="theirs"),
    )
