"""What is passed on to a guest beside the states of its server, and how it went."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from compute import policies, rpc
from compute.messages import CrashDump, OperationFinished
from compute.models import Server, ServerAction
from compute.services import actions, operations
from compute.services.findings import Finding, slices
from compute.states import SIGNALS, Action, Limit
from portal.core.context import RequestContext
from portal.core.errors import Conflict
from portal.core.policy import authorize


@transaction.atomic
def crash_dump(*, ctx: RequestContext, server: Server) -> None:
    """Send a server the interrupt on which its system dumps its memory."""
    authorize(ctx, policies.TRIGGER_CRASH_DUMP, server)
    operations.refuse_locked(ctx, server)
    why = operations.why_not(server, Action.TRIGGER_CRASH_DUMP)
    if why is not None or server.host is None:
        raise Conflict(why or _("Instance %(id)s is not ready") % {"id": server.pk})
    actions.begin(ctx, server, Action.TRIGGER_CRASH_DUMP)
    rpc.send(server.host, CrashDump(server.pk, ctx.request_id))


def finished(report: OperationFinished) -> None:
    """Write down how it went; nothing else changes."""
    server = Server.objects.present().filter(pk=report.server_id, host=report.host).first()
    if server is not None:
        actions.finish(server, report.request_id, report.action, report.fault)


def unanswered() -> Iterator[Finding]:
    """Yield what no host answers any more."""
    before = timezone.now() - timedelta(seconds=settings.OPERATION_TIMEOUTS_S[Limit.POWER])
    old = ServerAction.objects.filter(action__in=list(SIGNALS), finished_at=None, started_at__lt=before)
    for row in slices(old.select_related("server")):
        end = partial(actions.finish, row.server, row.request_id, Action(row.action), "The host did not answer.")
        yield Finding(f"no host answers {row.action} of instance {row.server_id}", "it is ended", end)
