"""Servers that were deleted and can still be restored, until their time is over."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from compute import policies
from compute.models import Server
from compute.services import lifecycle, operations
from compute.services.findings import Finding, slices
from compute.states import Action, VmState
from portal.core import log
from portal.core.context import RequestContext, new_request_id
from portal.core.policy import authorize


def restore(*, ctx: RequestContext, server: Server) -> None:
    """Bring a server back that was deleted a short while ago, and start it."""
    operations.begin(ctx, server, Action.RESTORE, policies.RESTORE)


@transaction.atomic
def force_delete(*, ctx: RequestContext, server: Server) -> None:
    """Delete a server for good, at once."""
    authorize(ctx, policies.FORCE_DELETE, server)
    operations.refuse_locked(ctx, server)
    lifecycle.end(ctx, server)


def due() -> Iterator[Finding]:
    """Yield the deleted servers that nobody restored in time."""
    if not settings.RECLAIM_INSTANCE_INTERVAL_S:
        return
    before = timezone.now() - timedelta(seconds=settings.RECLAIM_INSTANCE_INTERVAL_S)
    rows = Server.objects.present().filter(vm_state=VmState.SOFT_DELETED, task_state=None, operation_at__lt=before)
    for server in slices(rows.select_related("number")):
        yield Finding(f"instance {server.pk} was not restored in time", "it is deleted for good", partial(_reclaim, server))


def _reclaim(server: Server) -> None:
    ctx = RequestContext.for_conductor(new_request_id())
    with log.bound(ctx.request_id, server.pk), transaction.atomic():
        lifecycle.end(ctx, server)
