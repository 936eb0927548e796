"""The buttons of an instance."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from compute import policies
from compute.models import Server
from compute.services import consoles, lifecycle, power
from compute.states import TRANSITIONS, Action
from portal.dashboard.instances.base import InstanceAction
from portal.dashboard.instances.copying import COPIES, RESTS
from portal.dashboard.instances.more_actions import CHANGES, OTHERS, ForceDelete
from portal.dashboard.instances.networking import NETWORK_ACTIONS
from portal.dashboard.instances.words import predicate_of
from portal.dashboard.kit.actions import DeleteAction, RowAction
from portal.dashboard.kit.commands import Commands, curl, openstack


class Start(InstanceAction):
    name = "start"
    prominent = True
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


class Delete(DeleteAction, InstanceAction):
    rule = policies.DELETE
    action = Action.DELETE
    perform = staticmethod(lifecycle.delete)
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
    prominent = True
    label = gettext_lazy("Console")
    icon = "terminal-2"
    group = "access"
    panel = "instances"
    subject = "server"
    rule = policies.REMOTE_CONSOLES
    opens = "console:window"

    def refusal_by_state(self, obj: Server) -> tuple[str, str]:
        if consoles.has_display(obj):
            return "", ""
        facts = {"name": obj.name, "status": predicate_of(obj)}
        return _("%(name)s is %(status)s.") % facts, _("The console opens when it runs.")

    def command(self, obj: Server) -> Commands:
        body = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
        return Commands(
            openstack("console", "url", "show", "--novnc", obj.pk),
            curl("POST", f"/compute/v2.1/servers/{obj.pk}/remote-consoles", body, microversion="2.6"),
        )


_POWER, _DELETE = (Start(), Stop(), Reboot(), RebootHard()), Delete()
ACTIONS: tuple[InstanceAction, ...] = (*_POWER, *CHANGES, *RESTS, _DELETE)
BUTTONS: tuple[RowAction, ...] = (
    OpenConsole(),
    *_POWER,
    *CHANGES,
    *RESTS,
    *COPIES,
    *OTHERS,
    ForceDelete(),
    _DELETE,
)
BY_NAME: dict[str, RowAction] = {action.name: action for action in (*BUTTONS, *NETWORK_ACTIONS)}
