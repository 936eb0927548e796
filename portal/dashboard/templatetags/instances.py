"""Filters that put an instance into words."""

from typing import Any

from django import template
from django.utils.translation import gettext_lazy, pgettext_lazy

from compute.models import Server, ServerAction
from compute.states import Action, OtherAction
from portal.dashboard.instances.words import sentence_of, status_of
from portal.dashboard.kit.words import Status, ram, root_disk, took

register = template.Library()


@register.filter
def status(server: Server) -> Status:
    return status_of(server)


@register.filter
def spoken(server: Server) -> str:
    return sentence_of(server)


@register.filter
def figures(server: Server) -> str:
    """The size in figures: 2 vCPU · 4 GB · 40 GB."""
    return f"{server.vcpus} vCPU · {ram(server.ram_mb)} · {root_disk(server.root_gb)}"


_DEEDS: dict[str, Any] = {
    Action.CREATE: gettext_lazy("Create"),
    Action.START: pgettext_lazy("action", "Start"),
    Action.STOP: pgettext_lazy("action", "Stop"),
    Action.REBOOT: pgettext_lazy("action", "Reboot"),
    Action.REBOOT_HARD: gettext_lazy("Reboot (hard)"),
    Action.DELETE: pgettext_lazy("action", "Delete"),
    Action.PAUSE: pgettext_lazy("action", "Pause"),
    Action.UNPAUSE: pgettext_lazy("action", "Unpause"),
    Action.SUSPEND: pgettext_lazy("action", "Suspend"),
    Action.RESUME: pgettext_lazy("action", "Resume"),
    Action.RESIZE: pgettext_lazy("action", "Resize"),
    Action.CONFIRM_RESIZE: gettext_lazy("Confirm resize"),
    Action.REVERT_RESIZE: gettext_lazy("Revert resize"),
    Action.RESCUE: pgettext_lazy("action", "Rescue"),
    Action.UNRESCUE: gettext_lazy("End rescue"),
    Action.REBUILD: pgettext_lazy("action", "Rebuild"),
    Action.CREATE_IMAGE: gettext_lazy("Create image"),
    Action.CREATE_BACKUP: gettext_lazy("Back up"),
    Action.SHELVE: pgettext_lazy("action", "Shelve"),
    Action.SHELVE_OFFLOAD: gettext_lazy("Take from its host"),
    Action.UNSHELVE: pgettext_lazy("action", "Unshelve"),
    Action.CHANGE_PASSWORD: gettext_lazy("Set password"),
    Action.TRIGGER_CRASH_DUMP: gettext_lazy("Crash dump"),
    Action.SOFT_DELETE: pgettext_lazy("action", "Delete"),
    Action.RESTORE: pgettext_lazy("action", "Restore"),
    OtherAction.LOCK: pgettext_lazy("action", "Lock"),
    OtherAction.UNLOCK: pgettext_lazy("action", "Unlock"),
    OtherAction.RESET_STATE: gettext_lazy("Reset state"),
    OtherAction.ATTACH_INTERFACE: gettext_lazy("Attach interface"),
    OtherAction.DETACH_INTERFACE: gettext_lazy("Detach interface"),
    OtherAction.HOST_RESTART: gettext_lazy("The host was restarted"),
}


@register.filter
def deed(action: str) -> str:
    """The word for an entry of the actions log."""
    return str(_DEEDS.get(action, action))


@register.filter
def duration(entry: ServerAction) -> str:
    return took(entry.started_at, entry.finished_at)
