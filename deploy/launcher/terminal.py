"""What `./nebulet` prints: one line per step, with its time."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from deploy.launcher.errors import LauncherError

_WIDTH = 24


class Step:
    """A step that runs; ``note`` is shown behind its time."""

    def __init__(self) -> None:
        self.note = ""


class Terminal:
    """Prints steps to a person or, in plain lines, to a file."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._live = self._out.isatty()
        unicode = "utf" in (self._out.encoding or "").lower()
        self._done, self._failed, self._running = ("✓", "✗", "…") if unicode else ("ok", "failed", "...")

    @contextmanager
    def step(self, label: str) -> Iterator[Step]:
        """Show ``label`` while the block runs, then how long it took."""
        step, started = Step(), time.monotonic()
        if self._live:
            self._write(f"{self._running} {label}")
        try:
            yield step
        except BaseException:
            self._finish(self._failed, label, started, "")
            raise
        self._finish(self._done, label, started, step.note)

    def result(self, *, label: str, good: bool, seconds: float, note: str = "") -> None:
        """Show a step that ended elsewhere."""
        self.line(self._format(self._done if good else self._failed, label, seconds, note))

    def line(self, text: str = "") -> None:
        """Print one line at once."""
        self._write(f"{text}\n")

    def failure(self, error: LauncherError) -> None:
        """Print what went wrong and the command that mends it."""
        if error.details:
            self.line(error.details.rstrip())
        self.line(f"{self._failed} {error.sentence}")
        if error.command:
            self.line(f"  Run: {error.command}")

    def _finish(self, mark: str, label: str, started: float, note: str) -> None:
        if self._live:
            self._write("\r\x1b[K")
        self.line(self._format(mark, label, time.monotonic() - started, note))

    def _format(self, mark: str, label: str, seconds: float, note: str) -> str:
        text = f"{mark} {label:<{_WIDTH}} {seconds:6.1f} s"
        return f"{text}  {note}" if note else text

    def _write(self, text: str) -> None:
        try:
            self._out.write(text)
            self._out.flush()
        except BrokenPipeError:
            # Whoever read along, `head` say, has seen enough: no reason to leave the work half done.
            self._out, self._live = open(os.devnull, "w"), False  # noqa: SIM115
            os.dup2(self._out.fileno(), sys.stdout.fileno())
