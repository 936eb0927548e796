"""Putting servers aside and bringing them back: the disk becomes an image, the host may be given back, name and addresses stay."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from compute import policies
from compute.messages import CONDUCTOR_QUEUE
from compute.models import Host, Server
from compute.selectors import availability_zones
from compute.services import commands, lifecycle, operations, snapshots
from compute.services.findings import Finding
from compute.states import Action, VmState
from portal.core import bus
from portal.core.context import RequestContext, new_request_id
from portal.core.errors import BadRequest, CloudError, Conflict
from portal.core.policy import authorize

BATCH = 50


@transaction.atomic
def shelve(*, ctx: RequestContext, server: Server) -> None:
    """Shut a server down and keep its disk as an image; its host is given back after a while, see SHELVED_OFFLOAD_TIME_S."""
    authorize(ctx, policies.SHELVE, server)
    operations.refuse_locked(ctx, server)
    snapshots.copy(ctx, server, Action.SHELVE, f"{server.name}-shelved"[:255], {"image_type": "snapshot"})


def offload(*, ctx: RequestContext, server: Server) -> None:
    """Take a shelved server from its host at once."""
    operations.begin(ctx, server, Action.SHELVE_OFFLOAD, policies.SHELVE_OFFLOAD)


def due() -> Iterator[Finding]:
    """Yield the servers that have been shelved for long enough; one that something else takes first is left to it."""
    if settings.SHELVED_OFFLOAD_TIME_S < 0:
        return
    before = timezone.now() - timedelta(seconds=settings.SHELVED_OFFLOAD_TIME_S)
    shelved = Server.objects.present().filter(vm_state=VmState.SHELVED, task_state=None, shelved_at__lte=before)
    for server in shelved.exclude(host=None).select_related("number").order_by()[:BATCH]:
        yield Finding(
            f"instance {server.pk} has been shelved for long enough", "its host is given back", partial(_offload, server)
        )


def _offload(server: Server) -> None:
    try:
        with transaction.atomic():
            operations.take(RequestContext.for_conductor(new_request_id()), server, Action.SHELVE_OFFLOAD)
            commands.send(server)
    except CloudError:
        return


@transaction.atomic
def unshelve(
    *, ctx: RequestContext, server: Server, zone: str | None = None, unpin: bool = False, host: str | None = None
) -> None:
    """Start a shelved server again; one without a host is placed anew, in a ``zone`` or on a ``host`` if one is named.

    A zone that is named stays the server's; ``unpin`` lets it go to any from now on.
    """
    authorize(ctx, policies.UNSHELVE, server)
    if host is not None:
        authorize(ctx, policies.UNSHELVE_TO_HOST, server)
    operations.refuse_locked(ctx, server)
    if (zone is not None or unpin or host is not None) and server.vm_state != VmState.SHELVED_OFFLOADED:
        sentence = _(
            "Cannot 'unshelve' instance %(id)s to a chosen place while it is in vm_state %(state)s: only one without a host "
            "is placed anew."
        )
        raise Conflict(sentence % {"id": server.pk, "state": server.vm_state})
    _require_place(ctx, zone, host)
    operations.take(ctx, server, Action.UNSHELVE, **({"host": host} if host else {}))
    if zone is not None or unpin:
        Server.objects.filter(pk=server.pk).update(requested_zone=zone)
    if server.host is None:
        bus.cast(CONDUCTOR_QUEUE, lifecycle.BUILD, {"server_id": server.pk, "request_id": ctx.request_id})
    else:
        commands.send(server)


def _require_place(ctx: RequestContext, zone: str | None, host: str | None) -> None:
    if zone is not None and zone not in availability_zones(ctx):
        raise BadRequest(_("The requested availability zone is not available"))
    if host is not None and not Host.objects.filter(name=host).exists():
        raise BadRequest(_("Compute host %(name)s could not be found.") % {"name": host})
