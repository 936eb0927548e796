"""What the buttons of an instance have in common."""

from typing import Any, ClassVar

from django.utils.translation import gettext as _

from compute.models import Server
from compute.states import Action, VmState, refusal, rule_of
from portal.core.context import RequestContext
from portal.dashboard.instances.words import predicate_of, resting_word
from portal.dashboard.kit.actions import RowAction, Verdict
from portal.dashboard.kit.commands import Commands, curl, openstack
from portal.dashboard.kit.forms import CloudForm


class InstanceAction(RowAction):
    """Base of an instance's buttons: what its state allows stands in the state table. ``tab`` is where its deed shows, if not on
    the first one."""

    panel = "instances"
    subject = "server"
    action: ClassVar[Action]
    verb: ClassVar[tuple[str, ...]]
    body: ClassVar[dict[str, Any]]
    form: ClassVar[type[CloudForm] | None] = None
    microversion: ClassVar[str] = ""
    tab: ClassVar[str] = ""

    def verdict(self, ctx: RequestContext, obj: Server) -> Verdict:
        answer = self.by_rule(ctx, obj)
        if answer.allowed and obj.locked and not ctx.is_operator:
            return Verdict(False, _("%(name)s is locked.") % {"name": obj.name}, _("An operator can unlock it."))
        return answer

    def by_rule(self, ctx: RequestContext, obj: Server) -> Verdict:
        """Return what rule and state say, whether or not the instance is locked."""
        return super().verdict(ctx, obj)

    def fill(self, ctx: RequestContext, obj: Server, given: dict[str, Any]) -> None:
        """Call the service with what was typed into the action's form."""
        raise NotImplementedError

    def refusal_by_state(self, obj: Server) -> tuple[str, str]:
        shelved = obj.vm_state == VmState.SHELVED_OFFLOADED
        if obj.host is None and self.action != Action.DELETE and not shelved:
            return _("%(name)s was never built on a host.") % {"name": obj.name}, _("Delete it and launch it again.")
        if refusal(self.action, obj.vm_state, obj.task_state) is None:
            return "", ""
        facts = {"name": obj.name, "status": predicate_of(obj), "label": self.label}
        if obj.vm_state in rule_of(self.action).allowed:
            return (
                _("%(name)s is busy: %(status)s.") % facts,
                _("%(label)s is possible when that has finished.") % facts,
            )
        states = [resting_word(state) for state in VmState if state in rule_of(self.action).allowed]
        return (
            _("%(name)s is %(status)s.") % facts,
            _("%(label)s is for instances in state: %(states)s.") % {**facts, "states": ", ".join(states)},
        )

    def command(self, obj: Server) -> Commands:
        version = {"microversion": self.microversion} if self.microversion else {}
        return Commands(
            openstack("server", *self.verb, obj.pk),
            curl("POST", f"/compute/v2.1/servers/{obj.pk}/action", self.body, **version),
        )
