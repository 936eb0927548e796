"""Filters that put an instance into words."""

from django import template
from django.utils.translation import gettext_lazy, pgettext_lazy

from compute.models import Server, ServerAction
from compute.states import Action
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


_DEEDS = {
    Action.CREATE: gettext_lazy("Create"),
    Action.START: pgettext_lazy("action", "Start"),
    Action.STOP: pgettext_lazy("action", "Stop"),
    Action.REBOOT: pgettext_lazy("action", "Reboot"),
    Action.REBOOT_HARD: gettext_lazy("Reboot (hard)"),
    Action.DELETE: pgettext_lazy("action", "Delete"),
}


@register.filter
def deed(action: str) -> str:
    """The word for an entry of the actions log."""
    return str(_DEEDS.get(Action(action), action)) if action in set(Action) else action


@register.filter
def duration(entry: ServerAction) -> str:
    return took(entry.started_at, entry.finished_at)
