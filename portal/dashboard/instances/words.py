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
    VmState.PAUSED: (gettext_lazy("Paused"), "player-pause", "off"),
    VmState.SUSPENDED: (gettext_lazy("Suspended"), "moon", "off"),
    VmState.RESCUED: (gettext_lazy("Rescue mode"), "lifebuoy", "warn"),
    VmState.RESIZED: (gettext_lazy("Resized, to be confirmed"), "arrows-maximize", "warn"),
    VmState.SHELVED: (gettext_lazy("Shelved"), "archive", "off"),
    VmState.SHELVED_OFFLOADED: (gettext_lazy("Shelved"), "archive", "off"),
    VmState.SOFT_DELETED: (gettext_lazy("Deleted, can be restored"), "trash", "off"),
    VmState.ERROR: (gettext_lazy("Error"), "alert-triangle", "bad"),
    VmState.DELETED: (gettext_lazy("Deleted"), "trash", "off"),
    VmState.BUILDING: (gettext_lazy("Queued"), "clock", "busy"),
}
_BUSY: dict[str, str | Promise] = {
    TaskState.POWERING_ON: gettext_lazy("Starting"),
    TaskState.POWERING_OFF: gettext_lazy("Stopping"),
    TaskState.REBOOTING: gettext_lazy("Rebooting"),
    TaskState.REBOOTING_HARD: gettext_lazy("Rebooting (hard)"),
    TaskState.PAUSING: gettext_lazy("Pausing"),
    TaskState.UNPAUSING: gettext_lazy("Unpausing"),
    TaskState.SUSPENDING: gettext_lazy("Suspending"),
    TaskState.RESUMING: gettext_lazy("Resuming"),
    TaskState.RESCUING: gettext_lazy("Entering rescue mode"),
    TaskState.UNRESCUING: gettext_lazy("Leaving rescue mode"),
    TaskState.REBUILDING: gettext_lazy("Rebuilding"),
    TaskState.IMAGE_SNAPSHOT: gettext_lazy("Taking a snapshot"),
    TaskState.IMAGE_UPLOADING: gettext_lazy("Uploading the snapshot"),
    TaskState.IMAGE_BACKUP: gettext_lazy("Backing up"),
    TaskState.UPDATING_PASSWORD: gettext_lazy("Setting the password"),
    TaskState.RESIZE_PREP: gettext_lazy("Resizing"),
    TaskState.RESIZE_FINISH: gettext_lazy("Resizing"),
    TaskState.RESIZE_CONFIRMING: gettext_lazy("Confirming the resize"),
    TaskState.RESIZE_REVERTING: gettext_lazy("Reverting the resize"),
    TaskState.SHELVING: gettext_lazy("Shelving"),
    TaskState.SHELVING_OFFLOADING: gettext_lazy("Shelving"),
    TaskState.UNSHELVING: gettext_lazy("Unshelving"),
    TaskState.SOFT_DELETING: gettext_lazy("Deleting"),
    TaskState.RESTORING: gettext_lazy("Restoring"),
    TaskState.DELETING: gettext_lazy("Deleting"),
}
_PREDICATES: dict[str, str | Promise] = {
    VmState.RESCUED: gettext_lazy("in rescue mode"),
    VmState.ERROR: gettext_lazy("in error state"),
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


def predicate_of(server: Server) -> str:
    """Return what follows "the instance is" in a sentence."""
    if server.task_state is None and server.vm_state in _PREDICATES:
        return str(_PREDICATES[server.vm_state])
    return status_of(server).word.lower()


def resting_word(vm_state: str) -> str:
    """Return the word for a state that lasts."""
    return str(_RESTING[vm_state][0])


def sentence_of(server: Server) -> str:
    """Return what a screen reader is told when a server changed."""
    return _("%(name)s: %(status)s") % {"name": server.name, "status": status_of(server).word}
