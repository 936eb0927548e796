"""How the commands ended that this host carried out, so that a copy of one that comes later is answered and does nothing.

Queues deliver at least once: a worker that is killed before it said that it has taken a message gets it again, when a guest that the
message stopped may long have been started by its owner. And which command of each guest is the last that was asked for: queues
deliver in any order, and one that was asked for earlier does nothing any more. One small file each, so that it outlives the
process; forgotten after a week, when no queue brings a copy any more.
"""

import hashlib
import logging
import os
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

LOG = logging.getLogger(__name__)

_KEPT_S = 7 * 86_400.0
_TIDY_EVERY_S = 3_600.0
_REMEMBERED = 10_000
_WELL, _ILL = "well", "ill"


class Named(Protocol):
    """A command, or something else that a host did once: what was done to which guest, for whom."""

    @property
    def action(self) -> str: ...
    @property
    def server_id(self) -> str: ...
    @property
    def request_id(self) -> str: ...


class Placed(Protocol):
    """A command that has its place among those to one guest."""

    @property
    def server_id(self) -> str: ...
    @property
    def order(self) -> int: ...


@dataclass(frozen=True)
class Outcome:
    """How a command ended: well, or with a sentence for people."""

    fault: str | None


class Ledger:
    """Notes in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tidied_at: float | None = None
        self._newest: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def outcome(self, command: Named) -> Outcome | None:
        """Return how this very command ended, None when it did not yet."""
        try:
            word, _, fault = self._entry(command).read_text().partition(" ")
        except FileNotFoundError:
            return None
        return Outcome(fault or None) if word in (_WELL, _ILL) else None

    def note(self, command: Named, fault: str | None) -> None:
        """Write down how a command ended, before anybody is told; on a disk that is full it is told all the same."""
        try:
            self._write(self._entry(command), _WELL if fault is None else f"{_ILL} {fault}")
            self._tidy()
        except OSError as error:
            LOG.warning("The end of %s was not noted: %s", type(command).__name__, error.strerror)

    def arrived(self, command: Placed) -> None:
        """Write down that a command came, before it waits for its turn: all that were asked for earlier are overtaken."""
        with self._lock:
            if command.order <= self._last(command.server_id):
                return
            self._remember(command.server_id, command.order)
            try:
                self._write(self._last_entry(command.server_id), str(command.order))
            except OSError as error:
                LOG.warning("The arrival of %s was not noted: %s", type(command).__name__, error.strerror)

    def overtaken(self, command: Placed) -> bool:
        """Whether something came that was asked of the guest later than this."""
        with self._lock:
            return 0 < command.order < self._last(command.server_id)

    def _last(self, server_id: str) -> int:
        if server_id not in self._newest:
            try:
                self._remember(server_id, int(self._last_entry(server_id).read_text()))
            except (FileNotFoundError, ValueError):  # never written, or not whole
                self._remember(server_id, 0)
        return self._newest[server_id]

    def _remember(self, server_id: str, order: int) -> None:
        self._newest[server_id] = order
        while len(self._newest) > _REMEMBERED:
            self._newest.popitem(last=False)

    def _last_entry(self, server_id: str) -> Path:
        return self._named(f"last {server_id}")

    def _entry(self, command: Named) -> Path:
        return self._named(f"{command.action} {command.server_id} {command.request_id}")

    def _named(self, name: str) -> Path:
        return self._folder / hashlib.sha256(name.encode()).hexdigest()

    def _write(self, entry: Path, text: str) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = entry.with_suffix(".part")
        with part.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(entry)

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
