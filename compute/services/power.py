"""Starting, stopping and restarting servers. Each returns once the wish is written down; the host reports the outcome later."""

from django.db import transaction

from compute import notify, policies, rpc
from compute.messages import PowerOff, PowerOn, Reboot
from compute.models import Server
from compute.services import actions, lifecycle
from compute.states import Action, refusal
from portal.core.context import RequestContext
from portal.core.errors import Conflict, NotFound
from portal.core.policy import authorize

SHUTDOWN_GRACE_S = 30

_WORDS = {Action.REBOOT_HARD: "reboot"}


@transaction.atomic
def start(*, ctx: RequestContext, server: Server) -> None:
    """Power on a stopped server."""
    authorize(ctx, policies.START, server)
    host = _begin(ctx, server, Action.START)
    rpc.power_on(host, PowerOn(server.pk, ctx.request_id))


@transaction.atomic
def stop(*, ctx: RequestContext, server: Server) -> None:
    """Shut a server down; a guest that does not listen loses power after a while."""
    authorize(ctx, policies.STOP, server)
    host = _begin(ctx, server, Action.STOP)
    rpc.power_off(host, PowerOff(server.pk, ctx.request_id, SHUTDOWN_GRACE_S))


@transaction.atomic
def reboot(*, ctx: RequestContext, server: Server, hard: bool = False) -> None:
    """Restart a server; ``hard`` pulls the plug first."""
    authorize(ctx, policies.REBOOT, server)
    host = _begin(ctx, server, Action.REBOOT_HARD if hard else Action.REBOOT)
    rpc.reboot(host, Reboot(server.pk, ctx.request_id, hard))


def _begin(ctx: RequestContext, server: Server, action: Action) -> str:
    lifecycle.refuse_locked(ctx, server)
    taken = Server.objects.exclude(host=None).begin(server, action, ctx.request_id)
    fresh = Server.objects.present().filter(pk=server.pk).first()
    if fresh is None:
        raise NotFound("Instance", server.pk)
    if not taken or fresh.host is None:
        raise Conflict(_why_not(fresh, action))
    server.refresh_from_db()
    actions.begin(ctx, server, action)
    notify.server_changed(server)
    return fresh.host


def _why_not(server: Server, action: Action) -> str:
    reason = refusal(action, server.vm_state, server.task_state)
    if reason is None and server.host is None:
        return f"Instance {server.pk} is not ready: it was never built on a host."
    word = _WORDS.get(action, action.value)
    return f"Cannot '{word}' instance {server.pk} while {reason or 'another request changes it'}"
