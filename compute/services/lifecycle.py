"""The beginning and the end of servers."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from compute import notify, policies
from compute.messages import CONDUCTOR_QUEUE
from compute.models import Server, ServerNumber
from compute.models.host import new_uuid
from compute.network.services import ports
from compute.services import actions, commands, launch, operations, quotas
from compute.states import Action, TaskState, VmState
from portal.core import bus
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, NotFound
from portal.core.policy import authorize

NAME_MAX = 255
BUILD = "conductor.build"
FORGET = "conductor.forget"


def create(
    *,
    ctx: RequestContext,
    name: str,
    flavor_id: str,
    image_id: str,
    networks: Sequence[Mapping[str, Any]] | str | None = None,
    key_name: str | None = None,
    user_data: str | None = None,
    metadata: dict[str, str] | None = None,
    config_drive: bool | None = None,
    availability_zone: str | None = None,
    security_groups: Sequence[str] | None = None,
    description: str | None = None,
    hostname: str | None = None,
    count: int | None = None,
    min_count: int = 1,
    max_count: int | None = None,
) -> list[Server]:
    """Return new servers, as many up to ``max_count`` as the quota admits and at least ``min_count``; ``count`` sets both.

    Returns once the wish is written down; hosts are chosen and guests built later.
    """
    authorize(ctx, policies.CREATE)
    if isinstance(networks, Sequence) and not isinstance(networks, str):
        authorize(ctx, policies.CREATE_ATTACH_NETWORK)
    if not name.strip() or len(name) > NAME_MAX:
        raise BadRequest(f"A name has 1 to {NAME_MAX} characters.")
    at_least = count or min_count
    at_most = count or max_count or min_count
    if not 1 <= at_least <= at_most:
        raise BadRequest("min_count must be <= max_count")
    wish = launch.check(
        ctx,
        flavor_id=flavor_id,
        image_id=image_id,
        key_name=key_name,
        availability_zone=availability_zone,
        user_data=user_data,
        metadata=metadata,
    )
    common: dict[str, Any] = {"description": description, "config_drive": config_drive is not False, "hostname": hostname}
    with transaction.atomic():
        quotas.admit_metadata(ctx.project_id or "", wish.metadata)
        admitted = quotas.admit_servers(ctx.project_id or "", wish.flavor, at_least, at_most, user_id=ctx.user_id or "")
        reservation = f"r-{secrets.token_hex(4)}"
        servers = []
        for index in range(admitted):
            own_name = name if at_most == 1 else f"{name}-{index + 1}"
            server = _write(ctx, wish, own_name, index, reservation, **common)
            _allocate(ctx, server, networks, security_groups)
            servers.append(server)
    return servers


def _write(
    ctx: RequestContext,
    wish: launch.Wish,
    name: str,
    index: int,
    reservation: str,
    *,
    description: str | None,
    config_drive: bool,
    hostname: str | None,
) -> Server:
    server_id, flavor = new_uuid(), wish.flavor
    server = Server.objects.create(
        id=server_id,
        number=ServerNumber.objects.create(),
        name=name,
        hostname=hostname or launch.hostname_of(name, server_id),
        description=description,
        project_id=ctx.project_id or "",
        project_name=ctx.project_name,
        user_id=ctx.user_id or "",
        user_name=ctx.user_name,
        reservation_id=reservation,
        launch_index=index,
        image_id=wish.image.pk,
        flavor_id=flavor.flavor_id,
        flavor_name=flavor.name,
        vcpus=flavor.vcpus,
        ram_mb=flavor.ram_mb,
        root_gb=flavor.root_gb,
        ephemeral_gb=flavor.ephemeral_gb,
        swap_mb=flavor.swap_mb,
        extra_specs=flavor.extra_specs,
        key_name=wish.keypair.name if wish.keypair else None,
        public_key=wish.keypair.public_key if wish.keypair else None,
        user_data=wish.user_data,
        config_drive=config_drive,
        metadata=wish.metadata,
        requested_zone=wish.zone,
        requested_host=wish.host,
        vm_state=VmState.BUILDING,
        task_state=TaskState.SCHEDULING,
        request_id=ctx.request_id,
        operation=Action.CREATE,
    )
    actions.begin(ctx, server, Action.CREATE)
    bus.cast(CONDUCTOR_QUEUE, BUILD, {"server_id": server.pk, "request_id": ctx.request_id})
    notify.server_changed(server)
    return server


def _allocate(ctx: RequestContext, server: Server, networks: Any, security_groups: Sequence[str] | None) -> None:
    ports.allocate(
        ctx=ctx,
        project_id=server.project_id,
        device_id=server.pk,
        networks=networks,
        security_groups=security_groups,
    )


@transaction.atomic
def delete(*, ctx: RequestContext, server: Server) -> None:
    """Delete a server in whatever state it is; deleting one that is being deleted changes nothing.

    A build that runs is cut short. A server without a host is forgotten by the conductor, since nothing of it exists.
    """
    authorize(ctx, policies.DELETE, server)
    operations.refuse_locked(ctx, server)
    if not Server.objects.begin(server, Action.DELETE, ctx.request_id):
        if not Server.objects.present().filter(pk=server.pk).exists():
            raise NotFound("Instance", server.pk)
        return
    server.refresh_from_db()  # placement may have given it a host since the caller read it
    actions.abandon(server, except_request=ctx.request_id)
    actions.begin(ctx, server, Action.DELETE)
    if server.host is None:
        bus.cast(CONDUCTOR_QUEUE, FORGET, {"server_id": server.pk, "request_id": ctx.request_id})
    else:
        commands.send(server)
    notify.server_changed(server)


def update(*, ctx: RequestContext, server: Server, **changes: Any) -> Server:
    """Return the server with another ``name``, ``description`` or ``hostname``."""
    authorize(ctx, policies.UPDATE, server)
    allowed = {name: value for name, value in changes.items() if name in ("name", "description", "hostname")}
    if "name" in allowed and (not str(allowed["name"]).strip() or len(allowed["name"]) > NAME_MAX):
        raise BadRequest(f"A name has 1 to {NAME_MAX} characters.")
    with transaction.atomic():
        for name, value in allowed.items():
            setattr(server, name, value)
        server.updated_at = timezone.now()
        server.save(update_fields=[*allowed, "updated_at"])
        notify.server_changed(server)
    return server
