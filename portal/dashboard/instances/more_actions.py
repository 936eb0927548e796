"""The less usual buttons of an instance. Most show only in the states that allow them."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from compute import policies
from compute.models import Server
from compute.selectors import list_flavors
from compute.services import deferred, guest_passwords, locks, resizing, rest, signals
from compute.states import Action
from portal.core.context import RequestContext
from portal.core.policy import Rule
from portal.dashboard.instances.base import InstanceAction
from portal.dashboard.kit.actions import Verdict
from portal.dashboard.kit.forms import CloudForm
from portal.dashboard.kit.words import ram, root_disk


class Pause(InstanceAction):
    name = "pause"
    label = pgettext_lazy("action", "Pause")
    icon = "player-pause"
    group = "rest"
    rare = True
    rule = policies.PAUSE
    action = Action.PAUSE
    perform = staticmethod(rest.pause)
    verb = ("pause",)
    body = {"pause": None}


class Unpause(InstanceAction):
    name = "unpause"
    label = pgettext_lazy("action", "Unpause")
    icon = "player-play"
    group = "rest"
    rare = prominent = True
    rule = policies.UNPAUSE
    action = Action.UNPAUSE
    perform = staticmethod(rest.unpause)
    verb = ("unpause",)
    body = {"unpause": None}


class Suspend(InstanceAction):
    name = "suspend"
    label = pgettext_lazy("action", "Suspend")
    icon = "moon"
    group = "rest"
    rare = True
    rule = policies.SUSPEND
    action = Action.SUSPEND
    perform = staticmethod(rest.suspend)
    verb = ("suspend",)
    body = {"suspend": None}


class Resume(InstanceAction):
    name = "resume"
    label = pgettext_lazy("action", "Resume")
    icon = "player-play"
    group = "rest"
    rare = prominent = True
    rule = policies.RESUME
    action = Action.RESUME
    perform = staticmethod(rest.resume)
    verb = ("resume",)
    body = {"resume": None}


class Restore(InstanceAction):
    name = "restore"
    label = pgettext_lazy("action", "Restore")
    icon = "rotate"
    group = "rest"
    rare = prominent = True
    rule = policies.RESTORE
    action = Action.RESTORE
    perform = staticmethod(deferred.restore)
    verb = ("restore",)
    body = {"restore": None}


class ResizeForm(CloudForm):
    """The flavors that the instance can change to."""

    flavor = forms.ChoiceField(
        label=gettext_lazy("New size"),
        help_text=gettext_lazy("The instance is shut down for it. You can go back until you confirm the new size."),
    )

    def __init__(self, ctx: RequestContext, server: Server, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fitting = [flavor for flavor in list_flavors(ctx) if flavor.root_gb >= server.root_gb]
        others = [flavor for flavor in fitting if flavor.flavor_id != server.flavor_id]
        self.offer("flavor", [(flavor.flavor_id, _figures(flavor)) for flavor in others])


def _figures(flavor: Any) -> str:
    return f"{flavor.name} – {flavor.vcpus} vCPU · {ram(flavor.ram_mb)} · {root_disk(flavor.root_gb)}"


class Resize(InstanceAction):
    name = "resize"
    label = pgettext_lazy("action", "Resize")
    icon = "arrows-maximize"
    group = "size"
    asks_first = True
    rule = policies.RESIZE
    action = Action.RESIZE
    form = ResizeForm
    verb = ("resize", "--flavor", "FLAVOR")
    body = {"resize": {"flavorRef": "FLAVOR"}}

    def fill(self, ctx: RequestContext, obj: Server, given: dict[str, Any]) -> None:
        resizing.resize(ctx=ctx, server=obj, flavor_id=given["flavor"])


class ConfirmResize(InstanceAction):
    name = "confirm-resize"
    label = gettext_lazy("Confirm resize")
    icon = "check"
    group = "size"
    rare = prominent = True
    rule = policies.CONFIRM_RESIZE
    action = Action.CONFIRM_RESIZE
    perform = staticmethod(resizing.confirm)
    verb = ("resize", "confirm")
    body = {"confirmResize": None}


class RevertResize(InstanceAction):
    name = "revert-resize"
    label = gettext_lazy("Revert resize")
    icon = "rotate"
    group = "size"
    rare = True
    asks_first = True
    rule = policies.REVERT_RESIZE
    action = Action.REVERT_RESIZE
    perform = staticmethod(resizing.revert)
    verb = ("resize", "revert")
    body = {"revertResize": None}


class PasswordForm(CloudForm):
    """The new password, which is passed on to the guest and kept nowhere."""

    password = forms.CharField(
        label=gettext_lazy("New password"),
        strip=False,
        max_length=255,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("It is set by the guest agent inside the instance."),
    )

    def __init__(self, ctx: RequestContext, server: Server, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


class SetPassword(InstanceAction):
    name = "password"
    label = gettext_lazy("Set password")
    icon = "key"
    group = "upkeep"
    rare = True
    asks_first = True
    rule = policies.ADMIN_PASSWORD
    action = Action.CHANGE_PASSWORD
    form = PasswordForm
    verb = ("set", "--password", "PASSWORD")
    body = {"changePassword": {"adminPass": "PASSWORD"}}

    def fill(self, ctx: RequestContext, obj: Server, given: dict[str, Any]) -> None:
        guest_passwords.change(ctx=ctx, server=obj, password=given["password"])

    def said(self, obj: Server) -> str:
        return _("The password of %(name)s is set.") % {"name": obj.name}


class CrashDump(InstanceAction):
    name = "crash-dump"
    label = gettext_lazy("Crash dump")
    icon = "bolt"
    group = "upkeep"
    rare = True
    asks_first = True
    danger = True
    rule = policies.TRIGGER_CRASH_DUMP
    action = Action.TRIGGER_CRASH_DUMP
    perform = staticmethod(signals.crash_dump)
    verb = ("dump", "create")
    body = {"trigger_crash_dump": None}
    microversion = "2.17"

    def said(self, obj: Server) -> str:
        return _("%(name)s was sent the interrupt for a crash dump.") % {"name": obj.name}


class _Locking(InstanceAction):
    """Base of the two: no state matters but whether the instance is locked."""

    group = "upkeep"
    rare = True
    locked: ClassVar[bool]

    def verdict(self, ctx: RequestContext, obj: Server) -> Verdict:
        return self.by_rule(ctx, obj)

    def refusal_by_state(self, obj: Server) -> tuple[str, str]:
        if obj.locked == self.locked:
            return "", ""
        words = _("%(name)s is locked.") if obj.locked else _("%(name)s is not locked.")
        return words % {"name": obj.name}, ""


class Lock(_Locking):
    name = "lock"
    label = pgettext_lazy("action", "Lock")
    icon = "lock"
    locked = False
    rule = policies.LOCK
    perform = staticmethod(locks.lock)
    verb = ("lock",)
    body = {"lock": None}

    def said(self, obj: Server) -> str:
        return _("%(name)s is locked.") % {"name": obj.name}


class Unlock(_Locking):
    name = "unlock"
    label = pgettext_lazy("action", "Unlock")
    icon = "lock-open"
    locked = True
    rule = policies.UNLOCK
    perform = staticmethod(locks.unlock)
    verb = ("unlock",)
    body = {"unlock": None}

    def rule_for(self, obj: Server) -> Rule:
        return policies.UNLOCK_OVERRIDE if obj.locked_by == locks.ADMIN else policies.UNLOCK

    def said(self, obj: Server) -> str:
        return _("%(name)s is unlocked.") % {"name": obj.name}


class ForceDelete(InstanceAction):
    name = "force-delete"
    label = gettext_lazy("Delete for good")
    icon = "trash"
    group = "danger"
    rare = True
    danger = True
    asks_first = True
    rule = policies.FORCE_DELETE
    action = Action.RESTORE  # it shows where the instance could still be restored
    perform = staticmethod(deferred.force_delete)
    verb = ("delete", "--force")
    body = {"forceDelete": None}

    def said(self, obj: Server) -> str:
        return _("%(name)s is being deleted.") % {"name": obj.name}


CHANGES: tuple[InstanceAction, ...] = (
    Pause(),
    Unpause(),
    Suspend(),
    Resume(),
    Restore(),
    ConfirmResize(),
    RevertResize(),
)
OTHERS: tuple[InstanceAction, ...] = (Resize(), SetPassword(), Lock(), Unlock(), CrashDump())
