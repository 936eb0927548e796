"""The state table in words and as a picture, for docs/developer/server-states.md."""

from collections.abc import Iterable, Iterator

from compute.states import SIGNALS, TRANSITIONS, Action, TaskState, Transition, VmState

_EVERY = "any but deleted"
_PRESENT = frozenset(VmState) - {VmState.DELETED}


def page() -> str:
    """Return the part of the page that follows from the table."""
    return "\n".join([*_table(), "", *_diagram()]) + "\n"


def _table() -> Iterator[str]:
    yield "| action | allowed in | shows meanwhile | ends in | time-out | event |"
    yield "|---|---|---|---|---|---|"
    for action, row in TRANSITIONS.items():
        during = f"`{row.during}`{_before(row)}"
        ends = f"`{row.then}`" if row.then else "where it began"
        yield f"| `{action}` | {_names(row.allowed)} | {during} | {ends} | {row.limit} | `{row.event}` |"
    for action, signal in SIGNALS.items():
        yield f"| `{action}` | {_names(signal.allowed)} | nothing | where it began | power | `{signal.event}` |"


def _before(row: Transition) -> str:
    """Return before what an action goes that runs."""
    passed = frozenset(TaskState) - row.interrupts - {row.during}
    if len(passed) < len(row.interrupts):
        return " (goes before whatever runs" + "".join(f" but `{task}`" for task in passed) + ")"
    found = [f"`{task}`" for task in TaskState if task in row.interrupts]
    return f" (goes before {', '.join(found)})" if found else ""


def _names(states: frozenset[VmState]) -> str:
    return _EVERY if states == _PRESENT else ", ".join(f"`{state}`" for state in VmState if state in states)


def _diagram() -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield "    [*] --> building"
    for (before, after), actions in _edges().items():
        yield f"    {_id(before)} --> {_id(after)}: {', '.join(actions)}"
    yield f"    {_id(VmState.DELETED)} --> [*]"
    yield "```"


def _edges() -> dict[tuple[VmState, VmState], list[Action]]:
    """Return which actions lead from where to where; those that are possible everywhere are left to the table."""
    found: dict[tuple[VmState, VmState], list[Action]] = {}
    for action, row in TRANSITIONS.items():
        for before in _starts(row):
            found.setdefault((before, row.then or before), []).append(action)
    found[(VmState.SOFT_DELETED, VmState.DELETED)] = [Action.DELETE]
    return found


def _starts(row: Transition) -> Iterable[VmState]:
    if len(row.allowed) > len(_PRESENT) // 2:
        return []
    return [state for state in VmState if state in row.allowed and state != row.then and row.then is not None]


def _id(state: VmState) -> str:
    return state.replace("-", "_")
