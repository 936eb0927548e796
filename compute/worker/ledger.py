"""Which commands this host carried out that would do harm if a late copy of them were carried out again.

One empty file each, so that it outlives the process; forgotten after a week, when no queue brings a copy any more.
"""

import hashlib
import logging
import time
from pathlib import Path
from typing import Any

LOG = logging.getLogger(__name__)

_KEPT_S = 7 * 86_400.0
_TIDY_EVERY_S = 3_600.0


class Ledger:
    """Notes in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tidied_at: float | None = None

    def has(self, command: Any) -> bool:
        """Whether this very command was carried out."""
        return self._entry(command).exists()

    def note(self, command: Any) -> None:
        """Write down that a command was carried out, before anybody is told."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._entry(command).touch()
        self._tidy()

    def _entry(self, command: Any) -> Path:
        name = f"{type(command).__name__} {command.server_id} {command.request_id}"
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
