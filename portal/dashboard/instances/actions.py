"""The buttons of an instance."""

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from compute import policies
from compute.models import Server
from compute.services import lifecycle, power
from compute.states import TRANSITIONS, Action, TaskState, VmState, refusal
from portal.core.context import RequestContext
from portal.dashboard.instances.words import resting_word, status_of
from portal.dashboard.kit.actions import RowAction, Verdict
from portal.dashboard.kit.commands import Commands, curl, openstack


class InstanceAction(RowAction):
    """Base of an instance's buttons: what its state allows stands in the state table."""

    panel = "instances"
    subject = "server"
    action: ClassVar[Action]
    verb: ClassVar[tuple[str, ...]]
    body: ClassVar[dict[str, Any]]

    def verdict(self, ctx: RequestContext, obj: Server) -> Verdict:
        answer = super().verdict(ctx, obj)
        if answer.allowed and obj.locked and not ctx.is_operator:
            return Verdict(False, _("%(name)s is locked.") % {"name": obj.name}, _("An operator can unlock it."))
        return answer

    def refusal_by_state(self, obj: Server) -> tuple[str, str]:
        if obj.host is None and self.action != Action.DELETE:
            return _("%(name)s was never built on a host.") % {"name": obj.name}, _("Delete it and launch it again.")
        if refusal(self.action, obj.vm_state, obj.task_state) is None:
            return "", ""
        facts = {"name": obj.name, "status": status_of(obj).word.lower(), "label": self.label}
        if obj.vm_state in TRANSITIONS[self.action].allowed:
            return (
                _("%(name)s is busy: %(status)s.") % facts,
                _("%(label)s is possible when that has finished.") % facts,
            )
        states = [resting_word(state) for state in VmState if state in TRANSITIONS[self.action].allowed]
        return (
            _("%(name)s is %(status)s.") % facts,
            _("%(label)s is for instances in state: %(states)s.") % {**facts, "states": ", ".join(states)},
        )

    def command(self, obj: Server) -> Commands:
        return Commands(
            openstack("server", *self.verb, obj.pk),
            curl("POST", f"/compute/v2.1/servers/{obj.pk}/action", self.body),
        )


class Start(InstanceAction):
    name = "start"
    label = pgettext_lazy("action", "Start")
    icon = "player-play"
    group = "power"
    rule = policies.START
    action = Action.START
    perform = staticmethod(power.start)
    verb = ("start",)
    body = {"os-start": None}


class Stop(InstanceAction):
    name = "stop"
    label = pgettext_lazy("action", "Stop")
    icon = "player-stop"
    group = "power"
    rule = policies.STOP
    action = Action.STOP
    perform = staticmethod(power.stop)
    verb = ("stop",)
    body = {"os-stop": None}


class Reboot(InstanceAction):
    name = "reboot"
    label = pgettext_lazy("action", "Reboot")
    icon = "refresh"
    group = "power"
    rule = policies.REBOOT
    action = Action.REBOOT
    perform = staticmethod(power.reboot)
    verb = ("reboot",)
    body = {"reboot": {"type": "SOFT"}}


class RebootHard(InstanceAction):
    name = "reboot-hard"
    label = gettext_lazy("Reboot (hard)")
    icon = "bolt"
    group = "power"
    rule = policies.REBOOT
    action = Action.REBOOT_HARD
    verb = ("reboot", "--hard")
    body = {"reboot": {"type": "HARD"}}

    def run(self, ctx: Any, obj: Server) -> None:
        power.reboot(ctx=ctx, server=obj, hard=True)


class Delete(InstanceAction):
    name = "delete"
    label = pgettext_lazy("action", "Delete")
    icon = "trash"
    group = "danger"
    rule = policies.DELETE
    action = Action.DELETE
    perform = staticmethod(lifecycle.delete)
    danger = True
    asks_first = True
    verb = ("delete",)

    def refusal_by_state(self, obj: Server) -> tuple[str, str]:
        if obj.task_state == TRANSITIONS[self.action].during:
            return _("%(name)s is being deleted already.") % {"name": obj.name}, ""
        return super().refusal_by_state(obj)

    def command(self, obj: Server) -> Commands:
        return Commands(openstack("server", "delete", obj.pk), curl("DELETE", f"/compute/v2.1/servers/{obj.pk}"))

    def said(self, obj: Server) -> str:
        return _("%(name)s is being deleted.") % {"name": obj.name}


class OpenConsole(RowAction):
    """Leads to the console; the right itself is given out when the console connects."""

    name = "console"
    label = gettext_lazy("Console")
    icon = "terminal-2"
    group = "access"
    panel = "instances"
    subject = "server"
    rule = policies.REMOTE_CONSOLES
    opens = "console:window"

    def refusal_by_state(self, obj: Server) -> tuple[str, str]:
        if obj.vm_state == VmState.ACTIVE and obj.host is not None and obj.task_state != TaskState.DELETING:
            return "", ""
        facts = {"name": obj.name, "status": status_of(obj).word.lower()}
        return _("%(name)s is %(status)s.") % facts, _("The console opens when it runs.")

    def command(self, obj: Server) -> Commands:
        body = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
        return Commands(
            openstack("console", "url", "show", "--novnc", obj.pk),
            curl("POST", f"/compute/v2.1/servers/{obj.pk}/remote-consoles", body, microversion="2.6"),
        )


ACTIONS: tuple[InstanceAction, ...] = (Start(), Stop(), Reboot(), RebootHard(), Delete())
BUTTONS: tuple[RowAction, ...] = (OpenConsole(), *ACTIONS)
BY_NAME: dict[str, RowAction] = {action.name: action for action in BUTTONS}
