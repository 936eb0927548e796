"""What becomes of an action when a process is killed in the midst of it: which points it passes, and what its user sees of a death there.

Tests kill every action at every point of this table and hold what happens against it; docs/developer/interruptions.md is printed
from it.
"""

from collections.abc import Iterator
from enum import StrEnum

from compute.states import SIGNALS, TRANSITIONS, Action, VmState
from portal.core.faults import Point, Process


class Outcome(StrEnum):
    """What the user sees."""

    NOTHING = "nothing happened"
    DONE = "done"
    TWICE = "done twice"
    REFUSED = "refused"
    GIVEN_UP = "given up"


MEANINGS = {
    Outcome.NOTHING: "The connection ends without an answer; the server is as it was, and the action can be asked for again.",
    Outcome.DONE: "It ends as if nothing had happened, up to half a minute later.",
    Outcome.TWICE: "It ends as if nothing had happened, up to half a minute later; meanwhile the guest was restarted, interrupted "
    "or given its disk a second time.",
    Outcome.REFUSED: "The caller is told within seconds that the host does not answer; the server is as it was.",
    Outcome.GIVEN_UP: "The connection ends without an answer; the server shows the action until its time-out, then it is as it was, "
    "and its actions log says that the host did not answer.",
}

WHEN = {
    Point.WRITTEN: "the action is written into the row, in a transaction that is not committed",
    Point.COMMITTED: "the transaction is committed, its message not sent",
    Point.SENT: "the message is sent, and still noted as one to be sent",
    Point.ORDERED: "the order to find a host has arrived",
    Point.PLACED: "a host was found and claimed, in a transaction that is not committed",
    Point.ORDER_DONE: "a host was found, the order is not acknowledged",
    Point.PROGRESS_HEARD: "a host's word of a step has arrived",
    Point.PROGRESS_WRITTEN: "the step is written, in a transaction that is not committed",
    Point.PROGRESS_DONE: "the step is written, the host's word of it not acknowledged",
    Point.OUTCOME_HEARD: "the host's word of the end has arrived",
    Point.OUTCOME_WRITTEN: "the end is written, in a transaction that is not committed",
    Point.OUTCOME_DONE: "the end is written, the host's word of it not acknowledged",
    Point.RECEIVED: "the command has arrived",
    Point.DISKS_MADE: "the disks are there",
    Point.STOPPED: "the guest was shut down, or removed from the hypervisor",
    Point.KEPT: "what is needed to go back was put aside",
    Point.DEFINED: "the hypervisor knows the guest, or its other definition",
    Point.STARTED: "the guest was started",
    Point.COPIED: "the disk is copied",
    Point.UPLOADED: "the copy is in the image",
    Point.WORKED: "the work is done, and nothing of that is noted",
    Point.NOTED: "the end is noted in the host's ledger, and not told",
    Point.TOLD: "the end is told, the command not acknowledged",
}

_START = (Point.DISKS_MADE, Point.DEFINED, Point.STARTED)
_OTHER_DISK = (Point.STOPPED, *_START)
_BACK = (Point.STOPPED, Point.DEFINED, Point.STARTED)
_COPY = (Point.COPIED, Point.UPLOADED)
_STEPS: dict[Action, tuple[Point, ...]] = {
    Action.CREATE: _START,
    Action.START: (Point.STARTED,),
    Action.REBOOT: (Point.STOPPED, Point.STARTED),
    Action.REBOOT_HARD: (Point.STOPPED, Point.STARTED),
    Action.RESUME: (Point.STARTED,),
    Action.RESCUE: _OTHER_DISK,
    Action.UNRESCUE: _BACK,
    Action.REBUILD: _OTHER_DISK,
    Action.CREATE_IMAGE: _COPY,
    Action.CREATE_BACKUP: _COPY,
    Action.RESIZE: (Point.STOPPED, Point.KEPT, Point.DEFINED, Point.STARTED),
    Action.REVERT_RESIZE: _BACK,
    Action.SHELVE: (Point.STOPPED, *_COPY),
    Action.SHELVE_OFFLOAD: (Point.STOPPED,),
    Action.UNSHELVE: _START,
    Action.RESTORE: (Point.STARTED,),
    Action.DELETE: (Point.STOPPED,),
}
_ASKED = (Point.WRITTEN, Point.COMMITTED, Point.SENT)
_ORDER = (Point.ORDERED, Point.PLACED, Point.COMMITTED, Point.SENT, Point.ORDER_DONE)
_PROGRESS = (Point.PROGRESS_HEARD, Point.PROGRESS_WRITTEN, Point.PROGRESS_DONE)
_END = (Point.OUTCOME_HEARD, Point.OUTCOME_WRITTEN, Point.OUTCOME_DONE)
_PLACED = frozenset({Action.CREATE, Action.UNSHELVE})
_FOLLOWED = frozenset(
    {Action.CREATE, Action.UNSHELVE, Action.RESCUE, Action.REBUILD, Action.CREATE_IMAGE, Action.CREATE_BACKUP, Action.SHELVE}
)
_REPEATED = frozenset(
    {Action.REBOOT, Action.REBOOT_HARD, Action.RESCUE, Action.REBUILD, Action.TRIGGER_CRASH_DUMP},
)

ACTIONS: tuple[Action, ...] = (*TRANSITIONS, *SIGNALS)


def points(action: Action) -> Iterator[tuple[Process, Point]]:
    """Yield where an action can be interrupted, in the order in which it comes there. An unshelve is one of an offloaded server."""
    yield from ((Process.WEB, point) for point in _ASKED)
    if action == Action.CHANGE_PASSWORD:  # its caller waits for the host: there is no report
        yield from ((Process.COMPUTE, point) for point in (Point.RECEIVED, Point.WORKED))
        return
    if action in _PLACED:
        yield from ((Process.CONDUCTOR, point) for point in _ORDER)
    yield from ((Process.COMPUTE, point) for point in (Point.RECEIVED, *_STEPS.get(action, ()), *_ENDED))
    if action in _FOLLOWED:
        yield from ((Process.CONDUCTOR, point) for point in _PROGRESS)
    yield from ((Process.CONDUCTOR, point) for point in _END)


_ENDED = (Point.WORKED, Point.NOTED, Point.TOLD)


def outcome(action: Action, process: Process, point: Point) -> Outcome:
    """Return what the user sees when this process is killed there."""
    if point == Point.WRITTEN:
        return Outcome.NOTHING
    if action == Action.CHANGE_PASSWORD:
        return Outcome.GIVEN_UP if process == Process.WEB else Outcome.REFUSED
    if action in _REPEATED and process == Process.COMPUTE and point in (Point.STARTED, Point.WORKED):
        return Outcome.TWICE
    return Outcome.DONE


def abandoned(action: Action) -> VmState | None:
    """Return where a server ends whose host never answers, None for where it began; a sentence tells why."""
    if action == Action.UNSHELVE:
        return VmState.SHELVED_OFFLOADED
    return None if action in (Action.CHANGE_PASSWORD, *SIGNALS) else VmState.ERROR


def page() -> str:
    """Return the part of the page that follows from the table."""
    lines = ["| the user sees | which means |", "|---|---|"]
    lines += [f"| {word} | {MEANINGS[word]} |" for word in Outcome]
    lines += ["", "| point | when |", "|---|---|"]
    lines += [f"| `{point}` | {WHEN[point]} |" for point in Point]
    lines += ["", "| action | killed at | the user sees | no host ever answers: ends in |", "|---|---|---|---|"]
    for action in ACTIONS:
        lines += _rows(action)
    return "\n".join(lines) + "\n"


def _rows(action: Action) -> Iterator[str]:
    """Yield one row for each outcome of an action."""
    places: dict[Outcome, dict[Process, list[str]]] = {}
    for process, point in points(action):
        places.setdefault(outcome(action, process, point), {}).setdefault(process, []).append(f"`{point}`")
    end = f"`{abandoned(action)}`" if abandoned(action) else "where it began"
    for number, (word, where) in enumerate(places.items()):
        killed = "; ".join(f"{process}: {', '.join(names)}" for process, names in where.items())
        yield f"| {'' if number else f'`{action}`'} | {killed} | {word} | {'' if number else end} |"
