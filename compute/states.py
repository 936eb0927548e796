"""States of a server, and the one table of what may follow what.

The words are those of OpenStack's compute API; from the table come the API's 409, the page's buttons and the diagram in the
documentation.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import ClassVar, Literal


class VmState(StrEnum):
    """What a server is when nobody is working on it."""

    BUILDING = "building"
    ACTIVE = "active"
    STOPPED = "stopped"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    RESCUED = "rescued"
    RESIZED = "resized"
    SHELVED = "shelved"
    SHELVED_OFFLOADED = "shelved_offloaded"
    SOFT_DELETED = "soft-delete"
    ERROR = "error"
    DELETED = "deleted"


class CacheState(StrEnum):
    """Where an image stands on one host: asked for, there, asked for in vain, or told to go."""

    QUEUED = "queued"
    CACHED = "cached"
    FAILED = "failed"
    LEAVING = "leaving"


class TaskState(StrEnum):
    """What is being done to a server right now."""

    SCHEDULING = "scheduling"
    NETWORKING = "networking"
    BLOCK_DEVICE_MAPPING = "block_device_mapping"
    SPAWNING = "spawning"
    POWERING_ON = "powering-on"
    POWERING_OFF = "powering-off"
    REBOOTING = "rebooting"
    REBOOTING_HARD = "rebooting_hard"
    PAUSING = "pausing"
    UNPAUSING = "unpausing"
    SUSPENDING = "suspending"
    RESUMING = "resuming"
    RESCUING = "rescuing"
    UNRESCUING = "unrescuing"
    REBUILDING = "rebuilding"
    IMAGE_SNAPSHOT = "image_snapshot"
    IMAGE_UPLOADING = "image_uploading"
    IMAGE_BACKUP = "image_backup"
    UPDATING_PASSWORD = "updating_password"  # noqa: S105  a state's name
    RESIZE_PREP = "resize_prep"
    RESIZE_FINISH = "resize_finish"
    RESIZE_CONFIRMING = "resize_confirming"
    RESIZE_REVERTING = "resize_reverting"
    SHELVING = "shelving"
    SHELVING_OFFLOADING = "shelving_offloading"
    UNSHELVING = "unshelving"
    SOFT_DELETING = "soft-deleting"
    RESTORING = "restoring"
    DELETING = "deleting"


BUILD_STAGES = (
    TaskState.SCHEDULING,
    TaskState.NETWORKING,
    TaskState.BLOCK_DEVICE_MAPPING,
    TaskState.SPAWNING,
)


class PowerState(IntEnum):
    """What the hypervisor says of a guest, in the numbers of the compute API."""

    NOSTATE = 0
    RUNNING = 1
    PAUSED = 3
    SHUTDOWN = 4
    CRASHED = 6
    SUSPENDED = 7


class Action(StrEnum):
    """What can be asked of a server; the names of the instance actions log."""

    CREATE = "create"
    START = "start"
    STOP = "stop"
    REBOOT = "reboot"
    REBOOT_HARD = "reboot_hard"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    SUSPEND = "suspend"
    RESUME = "resume"
    RESCUE = "rescue"
    UNRESCUE = "unrescue"
    REBUILD = "rebuild"
    CREATE_IMAGE = "createImage"
    CREATE_BACKUP = "createBackup"
    CHANGE_PASSWORD = "changePassword"  # noqa: S105  an action's name
    RESIZE = "resize"
    CONFIRM_RESIZE = "confirmResize"
    REVERT_RESIZE = "revertResize"
    SHELVE = "shelve"
    SHELVE_OFFLOAD = "shelveOffload"
    UNSHELVE = "unshelve"
    SOFT_DELETE = "softDelete"
    RESTORE = "restore"
    DELETE = "delete"
    TRIGGER_CRASH_DUMP = "trigger_crash_dump"


class OtherAction(StrEnum):
    """What the instance actions log names besides: what goes on beside the two tables here."""

    LOCK = "lock"
    UNLOCK = "unlock"
    RESET_STATE = "resetState"
    ATTACH_INTERFACE = "attach_interface"
    DETACH_INTERFACE = "detach_interface"
    HOST_RESTART = "host_restart"


class Limit(StrEnum):
    """Which time-out an operation has (``NEBULET_*_TIMEOUT_S``)."""

    BUILD = "build"
    POWER = "power"
    COPY = "copy"
    DELETE = "delete"


@dataclass(frozen=True)
class Transition:
    """Where an action may start, what shows while it runs, and where it ends; ``then`` None: where it began.

    ``event`` is the step's name in the actions log, ``limit`` says how long it may go without a word of its host, and
    ``interrupts`` before what else it goes that is running.
    """

    allowed: frozenset[VmState]
    during: TaskState
    then: VmState | None
    event: str
    limit: Limit = Limit.POWER
    interrupts: frozenset[TaskState] = frozenset()


_ACTIVE, _STOPPED, _PAUSED, _SUSPENDED = VmState.ACTIVE, VmState.STOPPED, VmState.PAUSED, VmState.SUSPENDED
_ERROR, _RESCUED, _RESIZED = VmState.ERROR, VmState.RESCUED, VmState.RESIZED
_SHELVED, _OFFLOADED = VmState.SHELVED, VmState.SHELVED_OFFLOADED
_COPIED_FROM = (_ACTIVE, _STOPPED, _PAUSED, _SUSPENDED)
_PRESENT = tuple(state for state in VmState if state != VmState.DELETED)
_STUCK = (
    TaskState.REBOOTING,
    TaskState.REBOOTING_HARD,
    TaskState.PAUSING,
    TaskState.UNPAUSING,
    TaskState.SUSPENDING,
    TaskState.RESUMING,
)
_BUSY = frozenset(TaskState) - {TaskState.DELETING}


def _row(
    allowed: Iterable[VmState],
    during: TaskState,
    then: VmState | None,
    event: str,
    limit: Limit = Limit.POWER,
    *,
    interrupts: Iterable[TaskState] = (),
) -> Transition:
    return Transition(frozenset(allowed), during, then, f"compute_{event}", limit, frozenset(interrupts))


TRANSITIONS: dict[Action, Transition] = {
    Action.CREATE: _row([VmState.BUILDING], TaskState.SCHEDULING, _ACTIVE, "_do_build_and_run_instance", Limit.BUILD),
    Action.START: _row([_STOPPED], TaskState.POWERING_ON, _ACTIVE, "start_instance"),
    Action.STOP: _row([_ACTIVE, _ERROR], TaskState.POWERING_OFF, _STOPPED, "stop_instance"),
    Action.REBOOT: _row([_ACTIVE], TaskState.REBOOTING, _ACTIVE, "reboot_instance"),
    Action.REBOOT_HARD: _row([*_COPIED_FROM, _ERROR], TaskState.REBOOTING_HARD, _ACTIVE, "reboot_instance", interrupts=_STUCK),
    Action.PAUSE: _row([_ACTIVE], TaskState.PAUSING, _PAUSED, "pause_instance"),
    Action.UNPAUSE: _row([_PAUSED], TaskState.UNPAUSING, _ACTIVE, "unpause_instance"),
    Action.SUSPEND: _row([_ACTIVE], TaskState.SUSPENDING, _SUSPENDED, "suspend_instance", Limit.COPY),
    Action.RESUME: _row([_SUSPENDED], TaskState.RESUMING, _ACTIVE, "resume_instance", Limit.COPY),
    Action.RESCUE: _row([_ACTIVE, _STOPPED, _ERROR], TaskState.RESCUING, _RESCUED, "rescue_instance", Limit.COPY),
    Action.UNRESCUE: _row([_RESCUED], TaskState.UNRESCUING, _ACTIVE, "unrescue_instance"),
    Action.REBUILD: _row([_ACTIVE, _STOPPED, _ERROR], TaskState.REBUILDING, _ACTIVE, "rebuild_instance", Limit.COPY),
    Action.CREATE_IMAGE: _row(_COPIED_FROM, TaskState.IMAGE_SNAPSHOT, None, "snapshot_instance", Limit.COPY),
    Action.CREATE_BACKUP: _row(_COPIED_FROM, TaskState.IMAGE_BACKUP, None, "backup_instance", Limit.COPY),
    Action.CHANGE_PASSWORD: _row([_ACTIVE], TaskState.UPDATING_PASSWORD, _ACTIVE, "set_admin_password"),
    Action.RESIZE: _row([_ACTIVE, _STOPPED], TaskState.RESIZE_PREP, _RESIZED, "resize_instance", Limit.COPY),
    Action.CONFIRM_RESIZE: _row([_RESIZED], TaskState.RESIZE_CONFIRMING, _ACTIVE, "confirm_resize"),
    Action.REVERT_RESIZE: _row([_RESIZED], TaskState.RESIZE_REVERTING, _ACTIVE, "revert_resize", Limit.COPY),
    Action.SHELVE: _row(_COPIED_FROM, TaskState.SHELVING, _SHELVED, "shelve_instance", Limit.COPY),
    Action.SHELVE_OFFLOAD: _row([_SHELVED], TaskState.SHELVING_OFFLOADING, _OFFLOADED, "shelve_offload_instance"),
    Action.UNSHELVE: _row([_SHELVED, _OFFLOADED], TaskState.UNSHELVING, _ACTIVE, "unshelve_instance", Limit.BUILD),
    Action.SOFT_DELETE: _row(
        _COPIED_FROM,
        TaskState.SOFT_DELETING,
        VmState.SOFT_DELETED,
        "soft_delete_instance",
        Limit.COPY,
        interrupts=_BUSY - {TaskState.SOFT_DELETING},
    ),
    Action.RESTORE: _row([VmState.SOFT_DELETED], TaskState.RESTORING, _ACTIVE, "restore_instance"),
    Action.DELETE: _row(_PRESENT, TaskState.DELETING, VmState.DELETED, "terminate_instance", Limit.DELETE, interrupts=_BUSY),
}


@dataclass(frozen=True)
class Signal:
    """What is passed on to an idle guest beside the states: nothing shows while it runs, and the server stays what it was."""

    allowed: frozenset[VmState]
    event: str
    interrupts: ClassVar[frozenset[TaskState]] = frozenset()


SIGNALS: dict[Action, Signal] = {
    Action.TRIGGER_CRASH_DUMP: Signal(frozenset({_ACTIVE, _PAUSED, _RESCUED, _RESIZED, _ERROR}), "compute_trigger_crash_dump"),
}


def rule_of(action: Action) -> Transition | Signal:
    """Return the row of an action in whichever of the two tables it stands."""
    return SIGNALS.get(action) or TRANSITIONS[action]


def refusal(action: Action, vm_state: str, task_state: str | None) -> Literal["vm_state", "task_state"] | None:
    """Return which of the two states keeps ``action`` from starting, or None when it can start."""
    rule = rule_of(action)
    if vm_state not in rule.allowed:
        return "vm_state"
    if task_state is not None and task_state not in rule.interrupts:
        return "task_state"
    return None


_FOLLOWS = {
    PowerState.RUNNING: VmState.ACTIVE,
    PowerState.PAUSED: VmState.PAUSED,
    PowerState.SHUTDOWN: VmState.STOPPED,
    PowerState.CRASHED: VmState.STOPPED,
    PowerState.SUSPENDED: VmState.SUSPENDED,
}
_KEPT = frozenset({_RESCUED, _RESIZED, _SHELVED, _OFFLOADED, VmState.SOFT_DELETED})


LOSABLE = frozenset({_ACTIVE, _STOPPED, _PAUSED, _SUSPENDED})
"""Where a server that its host does not know any more is called lost; from elsewhere its way back could not be told."""


def resting(vm_state: str, power_state: PowerState) -> VmState | None:
    """Return what an idle server is whose guest has this power state, None when that cannot be told.

    States that users chose for another reason than power, such as rescued, stay.
    """
    if vm_state in _KEPT:
        return VmState(vm_state)
    return _FOLLOWS.get(power_state)


_STATUS = {
    VmState.BUILDING: "BUILD",
    VmState.ACTIVE: "ACTIVE",
    VmState.STOPPED: "SHUTOFF",
    VmState.PAUSED: "PAUSED",
    VmState.SUSPENDED: "SUSPENDED",
    VmState.RESCUED: "RESCUE",
    VmState.RESIZED: "VERIFY_RESIZE",
    VmState.SHELVED: "SHELVED",
    VmState.SHELVED_OFFLOADED: "SHELVED_OFFLOADED",
    VmState.SOFT_DELETED: "SOFT_DELETED",
    VmState.ERROR: "ERROR",
    VmState.DELETED: "DELETED",
}
_WORKED_ON = (VmState.ACTIVE, VmState.STOPPED, VmState.PAUSED, VmState.SUSPENDED, VmState.ERROR)
_STATUS_DURING = {
    (VmState.ACTIVE, TaskState.REBOOTING): "REBOOT",
    **{(state, TaskState.REBOOTING_HARD): "HARD_REBOOT" for state in _WORKED_ON},
    **{(state, TaskState.REBUILDING): "REBUILD" for state in (VmState.ACTIVE, VmState.STOPPED, VmState.ERROR)},
    **{
        (state, task): "RESIZE"
        for state in (VmState.ACTIVE, VmState.STOPPED)
        for task in (TaskState.RESIZE_PREP, TaskState.RESIZE_FINISH)
    },
    (VmState.ACTIVE, TaskState.UPDATING_PASSWORD): "PASSWORD",
    (VmState.RESIZED, TaskState.RESIZE_REVERTING): "REVERT_RESIZE",
}


def status(vm_state: str, task_state: str | None) -> str:
    """Return the ``status`` that the compute API shows for these states."""
    vm = VmState(vm_state)
    if task_state is not None:
        during = _STATUS_DURING.get((vm, TaskState(task_state)))
        if during is not None:
            return during
    return _STATUS[vm]


STATUS_VM_STATES: dict[str, frozenset[VmState]] = {
    word: frozenset(
        {vm for vm, name in _STATUS.items() if name == word}
        | {vm for (vm, _task), name in _STATUS_DURING.items() if name == word}
    )
    for word in {*_STATUS.values(), *_STATUS_DURING.values()}
}
