"""One file per service, written by several processes at once and turned over by size.

A line is one ``write`` to a descriptor that appends, so lines of two processes never mix. Before each line a process looks whether the
file at the path is still the one it has open: whoever turned it over did so under a lock of the folder, and nobody's line is lost.
"""

import fcntl
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.core.log.access import ACCESS
from portal.core.log.context import SERVICES

MOST_BYTES = 20 * 1024 * 1024
KEPT = 5


class Quiet(logging.Handler):
    """A handler that never shows a record it could not write: Python's own way would print its arguments."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        kind = sys.exc_info()[0]
        try:
            os.write(2, f"A line of {record.name} was not written: {kind.__name__ if kind else 'unknown'}\n".encode())
        except OSError:
            return


class Stderr(Quiet, logging.StreamHandler):  # type: ignore[type-arg]
    """The process's own output."""


class ServiceFiles(Quiet):
    """``<service>.log`` for what a service does, or with ``access`` ``<service>_access.log`` for what was asked of it."""

    def __init__(self, folder: Path, *, access: bool, most_bytes: int = MOST_BYTES) -> None:
        super().__init__()
        self.addFilter(lambda record: (record.name == ACCESS.name) is access)
        suffix = "_access" if access else ""
        self._files = {name: TurnedFile(folder / f"{name}{suffix}.log", most_bytes) for name in SERVICES}

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._files[record.service].write(self.format(record))  # type: ignore[attr-defined]
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        super().close()


class TurnedFile:
    """A file that is put aside as ``.1``, ``.2``, … when it is large; ``KEPT`` of them stay."""

    def __init__(self, path: Path, most_bytes: int) -> None:
        self._path = str(path)
        self._most_bytes = most_bytes
        self._descriptor = -1
        self._opened: tuple[int, int] | None = None
        self._failed = False

    def write(self, line: str) -> None:
        """Append one line. After one that a full disk cut, the next begins a line of its own."""
        found = _identity(self._path)
        if found is None or found[0] != self._opened:
            self._open()
        elif found[1] >= self._most_bytes:
            self._turn()
        data = f"{line}\n".encode("utf-8", "backslashreplace")
        if self._failed and self._is_cut():
            data = b"\n" + data
        self._failed = True
        self._failed = os.write(self._descriptor, data) < len(data)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._opened = -1, None

    def _is_cut(self) -> bool:
        size = os.fstat(self._descriptor).st_size
        return size > 0 and os.pread(self._descriptor, 1, size - 1) != b"\n"

    def _open(self) -> None:
        self.close()
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(self._path, flags, 0o640)
        info = os.fstat(self._descriptor)
        self._opened = (info.st_dev, info.st_ino)

    def _turn(self) -> None:
        with _alone(os.path.dirname(self._path)):
            found = _identity(self._path)
            if found is not None and found[0] == self._opened:  # else another process was first
                for number in range(KEPT - 1, 0, -1):
                    if os.path.exists(f"{self._path}.{number}"):
                        os.replace(f"{self._path}.{number}", f"{self._path}.{number + 1}")
                os.replace(self._path, f"{self._path}.1")
        self._open()


def _identity(path: str) -> tuple[tuple[int, int], int] | None:
    """Return which file is at the path, and its size."""
    try:
        info = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return (info.st_dev, info.st_ino), info.st_size


@contextmanager
def _alone(folder: str) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
