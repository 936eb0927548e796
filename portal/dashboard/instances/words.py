"""What a server's states are called on pages, with a shape and a tone for each."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compute.models import Server
from compute.states import BUILD_STAGES, TaskState, VmState
from portal.dashboard.kit.words import Status

_RESTING: dict[str, tuple[str | Promise, str, str]] = {
    VmState.ACTIVE: (gettext_lazy("Running"), "player-play", "good"),
    VmState.STOPPED: (gettext_lazy("Stopped"), "player-stop", "off"),
    VmState.ERROR: (gettext_lazy("Error"), "alert-triangle", "bad"),
    VmState.DELETED: (gettext_lazy("Deleted"), "trash", "off"),
    VmState.BUILDING: (gettext_lazy("Queued"), "clock", "busy"),
}
_BUSY: dict[str, str | Promise] = {
    TaskState.POWERING_ON: gettext_lazy("Starting"),
    TaskState.POWERING_OFF: gettext_lazy("Stopping"),
    TaskState.REBOOTING: gettext_lazy("Rebooting"),
    TaskState.REBOOTING_HARD: gettext_lazy("Rebooting (hard)"),
    TaskState.DELETING: gettext_lazy("Deleting"),
}


def status_of(server: Server) -> Status:
    """Return what to show for a server now."""
    if server.task_state in BUILD_STAGES:
        step = BUILD_STAGES.index(TaskState(server.task_state)) + 1
        word = _("Building %(step)d/%(of)d") % {"step": step, "of": len(BUILD_STAGES)}
        return Status(word, "loader-2", "busy")
    if server.task_state in _BUSY:
        return Status(str(_BUSY[server.task_state]), "loader-2", "busy")
    known = _RESTING.get(server.vm_state)
    return Status(str(known[0]), *known[1:]) if known else Status(server.vm_state, "help-circle", "warn")


def resting_word(vm_state: str) -> str:
    """Return the word for a state that lasts."""
    return str(_RESTING[vm_state][0])


def sentence_of(server: Server) -> str:
    """Return what a screen reader is told when a server changed."""
    return _("%(name)s: %(status)s") % {"name": server.name, "status": status_of(server).word}
