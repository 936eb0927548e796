"""States of a server, and the one table of what may follow what.

The words are those of OpenStack's compute API; from the table come the API's 409, the page's buttons and the diagram in the
documentation.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class VmState(StrEnum):
    """What a server is when nobody is working on it."""

    BUILDING = "building"
    ACTIVE = "active"
    STOPPED = "stopped"
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
    DELETE = "delete"


@dataclass(frozen=True)
class Transition:
    """Where an action may start, what shows while it runs, and where it ends."""

    allowed: frozenset[VmState]
    during: TaskState
    then: VmState
    preempts: bool = False


def _from(states: Iterable[VmState]) -> frozenset[VmState]:
    return frozenset(states)


TRANSITIONS: dict[Action, Transition] = {
    Action.CREATE: Transition(_from({VmState.BUILDING}), TaskState.SCHEDULING, VmState.ACTIVE),
    Action.START: Transition(_from({VmState.STOPPED}), TaskState.POWERING_ON, VmState.ACTIVE),
    Action.STOP: Transition(_from({VmState.ACTIVE, VmState.ERROR}), TaskState.POWERING_OFF, VmState.STOPPED),
    Action.REBOOT: Transition(_from({VmState.ACTIVE}), TaskState.REBOOTING, VmState.ACTIVE),
    Action.REBOOT_HARD: Transition(
        _from({VmState.ACTIVE, VmState.STOPPED, VmState.ERROR}), TaskState.REBOOTING_HARD, VmState.ACTIVE
    ),
    Action.DELETE: Transition(_from(set(VmState) - {VmState.DELETED}), TaskState.DELETING, VmState.DELETED, preempts=True),
}


def refusal(action: Action, vm_state: str, task_state: str | None) -> str | None:
    """Return why ``action`` cannot start in this state, or None when it can.

    The sentence is the one of OpenStack's 409, without the server's id.
    """
    rule = TRANSITIONS[action]
    if vm_state not in rule.allowed:
        return f"it is in vm_state {vm_state}"
    if task_state is not None and not rule.preempts:
        return f"it is in task_state {task_state}"
    return None


_STATUS = {
    VmState.BUILDING: "BUILD",
    VmState.ACTIVE: "ACTIVE",
    VmState.STOPPED: "SHUTOFF",
    VmState.ERROR: "ERROR",
    VmState.DELETED: "DELETED",
}
_STATUS_DURING = {
    (VmState.ACTIVE, TaskState.REBOOTING): "REBOOT",
    (VmState.ACTIVE, TaskState.REBOOTING_HARD): "HARD_REBOOT",
    (VmState.STOPPED, TaskState.REBOOTING_HARD): "HARD_REBOOT",
    (VmState.ERROR, TaskState.REBOOTING_HARD): "HARD_REBOOT",
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
