"""The beginning and the end of servers."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from compute import notify, policies
from compute.messages import CONDUCTOR_QUEUE
from compute.models import Server
from compute.network.services import ports
from compute.services import actions, commands, destination, launch, operations, quotas, server_groups
from compute.services.birth import NOTHING_MORE, Birth, Extras
from compute.states import TRANSITIONS, Action, TaskState, VmState
from portal.core import bus
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Conflict, NotFound
from portal.core.policy import authorize

NAME_MAX = 255
CHANGEABLE = frozenset(
    {"name", "description", "hostname", "access_ip_v4", "access_ip_v6", "auto_disk_config", "requested_zone"}
)
BUILD = "conductor.build"
FORGET = "conductor.forget"
_ENDING = (TaskState.DELETING, TaskState.SOFT_DELETING)


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
    availability_zone: str | None = None,
    security_groups: Sequence[str] | None = None,
    count: int | None = None,
    min_count: int = 1,
    max_count: int | None = None,
    extras: Extras = NOTHING_MORE,
    **columns: Any,
) -> list[Server]:
    """Return new servers, as many up to ``max_count`` as the quota admits and at least ``min_count``; ``count`` sets both.

    ``columns`` are ``description``, ``hostname`` and ``config_drive``. Returns once the wish is written down; hosts are chosen and
    guests built later.
    """
    authorize(ctx, policies.CREATE)
    if isinstance(networks, Sequence) and not isinstance(networks, str):
        authorize(ctx, policies.CREATE_ATTACH_NETWORK)
    if not name.strip() or len(name) > NAME_MAX:
        raise BadRequest(_("A name has 1 to %(most)s characters.") % {"most": NAME_MAX})
    at_least = count or min_count
    at_most = count or max_count or min_count
    extras.require_fit(at_least, at_most, networks=networks, hostname=columns.get("hostname"))
    wish = launch.check(ctx, flavor_id=flavor_id, image_id=image_id, key_name=key_name, user_data=user_data, metadata=metadata)
    extras.require_disks(wish.flavor, wish.image)
    place = destination.check(ctx, availability_zone=availability_zone, **extras.destination())
    project_id = ctx.project_id or ""
    with transaction.atomic():
        quotas.admit_metadata(project_id, wish.metadata)
        quotas.admit_files(project_id, extras.files)
        admitted = quotas.admit_servers(project_id, wish.flavor, at_least, at_most, user_id=ctx.user_id or "")
        if place.group is not None:
            server_groups.admit(place.group, admitted)
        birth = Birth(ctx, wish, place, extras, columns)
        servers = [birth.write(name if at_most == 1 else f"{name}-{index + 1}", index) for index in range(admitted)]
        for server in servers:
            _allocate(ctx, server, networks, security_groups)
            _send(ctx, server)
    return servers


def _send(ctx: RequestContext, server: Server) -> None:
    actions.begin(ctx, server, Action.CREATE)
    bus.cast(CONDUCTOR_QUEUE, BUILD, {"server_id": server.pk, "request_id": ctx.request_id})
    notify.server_changed(server)


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

    Where deleted servers can be restored for a while, one that was built only stops.
    """
    authorize(ctx, policies.DELETE, server)
    operations.refuse_locked(ctx, server)
    try:
        server.refresh_from_db(from_queryset=Server.objects.present().select_for_update())
    except Server.DoesNotExist as error:
        raise NotFound("Instance", server.pk) from error
    if not rests(server):
        end(ctx, server)
    elif server.vm_state != VmState.SOFT_DELETED and server.task_state not in _ENDING:
        operations.take(ctx, server, Action.SOFT_DELETE)
        commands.send(server)


def rests(server: Server) -> bool:
    """Whether a deletion only stops this server, so that it can be restored for a while."""
    can_rest = server.vm_state in TRANSITIONS[Action.SOFT_DELETE].allowed | {VmState.SOFT_DELETED}
    return can_rest and server.host is not None and settings.RECLAIM_INSTANCE_INTERVAL_S > 0


def end(ctx: RequestContext, server: Server) -> None:
    """Delete a server for good, in the caller's transaction.

    A build that runs is cut short. A server without a host is forgotten by the conductor, since nothing of it exists.
    """
    before = operations.busy(server)
    if not Server.objects.begin(server, Action.DELETE, ctx.request_id):
        if not Server.objects.present().filter(pk=server.pk).exists():
            raise NotFound("Instance", server.pk)
        return
    server.refresh_from_db()  # placement may have given it a host since the caller read it
    if before is not None:
        operations.cut_off(before, ctx.request_id)
    else:
        actions.abandon(server, except_request=ctx.request_id)
    actions.begin(ctx, server, Action.DELETE)
    if server.host is None:
        bus.cast(CONDUCTOR_QUEUE, FORGET, {"server_id": server.pk, "request_id": ctx.request_id})
    else:
        commands.send(server)
    notify.server_changed(server)


def update(*, ctx: RequestContext, server: Server, **changes: Any) -> Server:
    """Return the server with another name, description or host name, other access addresses, or another pinned zone."""
    authorize(ctx, policies.UPDATE, server)
    allowed = {name: value for name, value in changes.items() if name in CHANGEABLE}
    if "name" in allowed and (not str(allowed["name"]).strip() or len(allowed["name"]) > NAME_MAX):
        raise BadRequest(_("A name has 1 to %(most)s characters.") % {"most": NAME_MAX})
    if "requested_zone" in allowed:
        _require_pinnable(server, allowed["requested_zone"])
    with transaction.atomic():
        for name, value in allowed.items():
            setattr(server, name, value)
        server.updated_at = timezone.now()
        server.save(update_fields=[*allowed, "updated_at"])
        notify.server_changed(server)
    return server


def _require_pinnable(server: Server, zone: str | None) -> None:
    """Let a server be pinned to the zone in which it is, or to none."""
    if zone is None:
        return
    if server.requested_zone is not None and zone != server.requested_zone:
        raise Conflict(
            _("Cannot change pinned availability zone directly. Unpin first by setting pinned_availability_zone to null.")
        )
    if server.requested_zone is None and zone != server.availability_zone:
        sentence = _("Server can only be pinned to its current availability zone '%(current)s', but '%(zone)s' was requested.")
        raise Conflict(sentence % {"current": server.availability_zone, "zone": zone})
