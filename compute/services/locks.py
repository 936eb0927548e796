"""Locks: a locked server is left alone by everybody but operators until it is unlocked."""

from django.db import transaction
from django.utils import timezone

from compute import notify, policies
from compute.models import Server
from compute.services import actions
from compute.states import OtherAction
from portal.core.context import RequestContext
from portal.core.policy import authorize

OWNER, ADMIN = "owner", "admin"


@transaction.atomic
def lock(*, ctx: RequestContext, server: Server, reason: str | None = None) -> None:
    """Lock a server. One that is locked stays locked by whoever was first, unless an operator from outside its project asks."""
    authorize(ctx, policies.LOCK, server)
    rows = Server.objects.present().filter(pk=server.pk)
    if _side(ctx, server) == OWNER:
        rows = rows.filter(locked=False)
    rows.update(locked=True, locked_by=_side(ctx, server), locked_reason=reason, updated_at=timezone.now())
    actions.done(ctx, server, OtherAction.LOCK)
    notify.server_changed(server)


@transaction.atomic
def unlock(*, ctx: RequestContext, server: Server) -> None:
    """Unlock a server; what one side locked only that side unlocks, or whom a rule lets override it."""
    authorize(ctx, policies.UNLOCK, server)
    if server.locked_by not in (None, _side(ctx, server)):
        authorize(ctx, policies.UNLOCK_OVERRIDE, server)
    rows = Server.objects.present().filter(pk=server.pk)
    rows.update(locked=False, locked_by=None, locked_reason=None, updated_at=timezone.now())
    actions.done(ctx, server, OtherAction.UNLOCK)
    notify.server_changed(server)


def _side(ctx: RequestContext, server: Server) -> str:
    return OWNER if ctx.project_id == server.project_id else ADMIN
