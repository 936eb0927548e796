"""How everything that is done to a built server begins: judged, written down, and sent to the host.

Each returns once the wish is written down; the host reports the outcome later.
"""

from typing import Any, Literal

from django.db import transaction
from django.utils.translation import gettext as _

from compute import notify
from compute.models import Server
from compute.services import actions, commands, setbacks
from compute.states import TRANSITIONS, Action, refusal
from portal.core.context import RequestContext
from portal.core.errors import Conflict, NotFound
from portal.core.policy import authorize
from portal.core.policy.rules import Rule

_WORDS = {Action.REBOOT_HARD: "reboot"}
_WITHOUT_HOST = frozenset({Action.UNSHELVE})


@transaction.atomic
def begin(ctx: RequestContext, server: Server, action: Action, rule: Rule, **details: Any) -> None:
    """Have the host of a server carry out an action; ``details`` is what the command needs to know, in JSON's types.

    Raises Forbidden, NotFound when the server went away, and Conflict when it is locked or its state does not allow the action.
    """
    authorize(ctx, rule, server)
    refuse_locked(ctx, server)
    take(ctx, server, action, **details)
    commands.send(server)


def take(ctx: RequestContext, server: Server, action: Action, **details: Any) -> None:
    """Take a server for an action and write that down; raises NotFound or Conflict. Runs in the caller's transaction."""
    rows = Server.objects.all() if action in _WITHOUT_HOST else Server.objects.exclude(host=None)
    before = busy(server) if TRANSITIONS[action].interrupts else None
    taken = rows.begin(server, action, ctx.request_id, details)
    fresh = Server.objects.present().filter(pk=server.pk).first()
    if fresh is None:
        raise NotFound("Instance", server.pk)
    if not taken:
        raced = _("Cannot '%(action)s' instance %(id)s while another request changes it")
        raise Conflict(why_not(fresh, action) or raced % {"action": action, "id": fresh.pk})
    server.refresh_from_db()
    if before is not None:
        cut_off(before, ctx.request_id)
    actions.begin(ctx, server, action)
    notify.server_changed(server)


def busy(server: Server) -> Server | None:
    """Keep a server as it is for the transaction and return it if something is done to it; None for an idle one."""
    fresh = Server.objects.present().select_for_update().filter(pk=server.pk).first()
    return fresh if fresh is not None and fresh.task_state is not None else None


def cut_off(before: Server, request_id: str) -> None:
    """Give up what was being done to a server that another request took first; its host is told by the command that follows."""
    setbacks.forget_copy(before)
    actions.abandon(before, except_request=request_id)


def refuse_locked(ctx: RequestContext, server: Server) -> None:
    """Let only operators change a server that is locked."""
    if server.locked and not ctx.is_operator:
        raise Conflict(_("Instance %(id)s is locked") % {"id": server.pk})


def cannot(server: Server, deed: str, cause: Literal["vm_state", "task_state"]) -> Conflict:
    """Return OpenStack's refusal of what one of a server's two states forbids."""
    return Conflict(_sentence(server, deed, cause))


def _sentence(server: Server, deed: str, cause: Literal["vm_state", "task_state"]) -> str:
    sentence = _("Cannot '%(action)s' instance %(id)s while it is in vm_state %(state)s")
    if cause == "task_state":
        sentence = _("Cannot '%(action)s' instance %(id)s while it is in task_state %(state)s")
    return sentence % {"action": deed, "id": server.pk, "state": getattr(server, cause)}


def why_not(server: Server, action: Action) -> str | None:
    """Return why an action cannot begin as the server stands, or None."""
    if cause := refusal(action, server.vm_state, server.task_state):
        return _sentence(server, _WORDS.get(action, action.value), cause)
    if server.host is None:
        return _("Instance %(id)s is not ready: it was never built on a host.") % {"id": server.pk}
    return None
