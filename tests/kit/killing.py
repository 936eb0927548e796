"""Work that is killed before each change that it makes to files, one change after another.

Python tells of each opening, renaming, removing (its audit events), so nothing has to be put into the code that is tested. SQLite tells of
each statement. Work is done in a process of its own, which dies by SIGKILL with all that it started.
"""

import os
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

_CHANGES = {"os.mkdir", "os.rename", "os.link", "os.remove", "os.rmdir", "os.chmod", "os.chown", "os.truncate", "os.symlink"}
_WRITTEN = ("BEGIN", "INSERT", "UPDATE", "DELETE")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Killer:
    """Counts changes and kills before the one whose number is ``at``; 0 for none."""

    def __init__(self, at: int) -> None:
        self._at, self._seen = at, 0

    def change(self) -> None:
        """Note that a change is about to be made."""
        self._seen += 1
        if self._seen == self._at:
            os.killpg(0, signal.SIGKILL)

    def hear(self, event: str, arguments: tuple) -> None:
        """Take an audit event."""
        if event in _CHANGES or (event == "open" and arguments[2] and arguments[2] & _WRITES and arguments[0] != os.devnull):
            self.change()

    def watch(self, database: sqlite3.Connection) -> None:
        """Count what a database is told to keep: the moments before and after each transaction, and what is written without one."""

        def hear(statement: str) -> None:
            if statement.startswith("COMMIT") or (statement.startswith(_WRITTEN) and not database.in_transaction):
                self.change()

        database.set_trace_callback(hear)


def ends(work: Callable[[Killer], object], at: int) -> bool:
    """Whether the work, killed before its change number ``at``, comes to its end; raises AssertionError when it fails."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setpgid(0, 0)
            killer = Killer(at)
            sys.addaudithook(killer.hear)
            work(killer)
            code = 0
        except BaseException as error:  # the parent is to see it
            os.write(2, f"change {at}: {type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    outcome = os.waitstatus_to_exitcode(status)
    assert outcome in (0, -signal.SIGKILL), f"killed before change {at} it ended with {outcome}"
    return outcome == 0


def deaths(work: Callable[[Killer], object], most: int = 1000) -> Iterator[int]:
    """Yield the number of each change before which the work was killed, just after that, until it comes to its end."""
    for at in range(1, most):
        if ends(work, at):
            return
        yield at
    raise AssertionError(f"it made more than {most} changes")


def contents(folder: Path) -> dict[str, int]:
    """Return the names and modes of all below a folder."""
    return {str(path.relative_to(folder)): path.lstat().st_mode for path in sorted(folder.rglob("*"))}
