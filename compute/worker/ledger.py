"""How the commands ended that this host carried out, so that a copy of one that comes later is answered and does nothing.

Queues deliver at least once: a worker that is killed before it said that it has taken a message gets it again, when a guest that the
message stopped may long have been started by its owner. One small file each, so that it outlives the process; forgotten after a
week, when no queue brings a copy any more.
"""

import hashlib
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

LOG = logging.getLogger(__name__)

_KEPT_S = 7 * 86_400.0
_TIDY_EVERY_S = 3_600.0


class Named(Protocol):
    """A command, or something else that a host did once: what was done to which guest, for whom."""

    @property
    def action(self) -> str: ...
    @property
    def server_id(self) -> str: ...
    @property
    def request_id(self) -> str: ...


@dataclass(frozen=True)
class Outcome:
    """How a command ended: well, or with a sentence for people."""

    fault: str | None


class Ledger:
    """Notes in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tidied_at: float | None = None

    def outcome(self, command: Named) -> Outcome | None:
        """Return how this very command ended, None when it did not yet."""
        try:
            return Outcome(self._entry(command).read_text() or None)
        except FileNotFoundError:
            return None

    def note(self, command: Named, fault: str | None) -> None:
        """Write down how a command ended, before anybody is told; on a disk that is full it is told all the same."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            entry = self._entry(command)
            part = entry.with_suffix(".part")
            part.write_text(fault or "")
            part.replace(entry)
            self._tidy()
        except OSError as error:
            LOG.warning("The end of %s was not noted: %s", type(command).__name__, error.strerror)

    def _entry(self, command: Named) -> Path:
        name = f"{command.action} {command.server_id} {command.request_id}"
        return self._folder / hashlib.sha256(name.encode()).hexdigest()

    def _tidy(self) -> None:
        now = time.monotonic()
        if self._tidied_at is not None and now - self._tidied_at < _TIDY_EVERY_S:
            return
        self._tidied_at = now
        for entry in self._folder.iterdir():
            try:
                if time.time() - entry.stat().st_mtime > _KEPT_S:
                    entry.unlink()
            except FileNotFoundError:
                continue
