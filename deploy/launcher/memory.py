"""How much memory a process and all that it started take."""

from pathlib import Path

_PROC = Path("/proc")


def tree_pss_kb(pid: int, children: dict[int, list[int]] | None = None) -> int | None:
    """Return the proportional memory of the process and its descendants in KiB; None when we may not look."""
    known = children_by_parent() if children is None else children
    total, waiting = 0, [pid]
    while waiting:
        current = waiting.pop()
        waiting += known.get(current, [])
        try:
            rollup = (_PROC / str(current) / "smaps_rollup").read_text()
        except PermissionError:
            return None
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total


def children_by_parent() -> dict[int, list[int]]:
    """Return the children of every process."""
    found: dict[int, list[int]] = {}
    for stat in _PROC.glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text(errors="replace").rpartition(")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            continue
        found.setdefault(parent, []).append(int(stat.parent.name))
    return found
