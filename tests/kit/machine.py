"""The machine that tests with guests share: some run side by side, one that takes libvirt down has it to itself."""

import fcntl
import os
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

_DOOR, _ROOM = (Path(tempfile.gettempdir()) / f"nebulet-machine-{os.geteuid()}.{name}" for name in ("door", "room"))


def lane() -> int:
    """Return the number of this process among those that run tests: what is one of a kind on a machine bears it."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


@contextmanager
def held(path: Path, *, alone: bool = True) -> Iterator[None]:
    """Hold a lock among all test processes of this machine, with others who do not want to be alone."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files whose tests have the machine to themselves, before others would have to wait for them; then those that are marked as
    ``hypervisor(first=True)``, which take longest; then those without guests, which wait for nobody.
    """
    marks: dict[Path, list[pytest.Mark]] = {}
    for item in items:
        marks.setdefault(item.path, []).extend(item.iter_markers("hypervisor"))
    items.sort(key=lambda item: _turn(marks[item.path]))


def _turn(marks: list[pytest.Mark]) -> int:
    for number, word in enumerate(("alone", "first")):
        if any(mark.kwargs.get(word) for mark in marks):
            return number
    return 3 if marks else 2


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Let tests with guests in, all that come or ``hypervisor(alone=True)``; who waits is not overtaken."""
    mark = item.get_closest_marker("hypervisor")
    if mark is None:
        return (yield)
    with ExitStack() as room:
        with held(_DOOR):
            room.enter_context(held(_ROOM, alone=mark.kwargs.get("alone", False)))
        return (yield)
