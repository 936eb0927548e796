"""Remembers what is done already: a hash of what went in, kept in a file."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from deploy.launcher.state import Owner, write_whole


def digest(files: Iterable[Path], *words: str) -> str:
    """Return a hash of the files' paths and bytes and of the words; a file that is missing counts as missing."""
    total = hashlib.sha256()
    for word in words:
        total.update(f"word {len(word)} {word}\n".encode())
    for file in sorted(files):
        content = file.read_bytes() if file.is_file() else b""
        total.update(f"file {file} {file.is_file()} {len(content)}\n".encode())
        total.update(content)
    return total.hexdigest()


class Stamp:
    """A file that holds the hash of the last success."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def matches(self, value: str) -> bool:
        """Whether the last success was with the same input."""
        try:
            return self._path.read_text() == value
        except OSError:
            return False

    def forget(self) -> None:
        """Begin anew: until the step has ended again it matches no input, not even that of the last success."""
        self._path.unlink(missing_ok=True)

    def write(self, value: str) -> None:
        """Remember a success; done last, so an interrupted step runs again."""
        folder = self._path.parent
        folder.mkdir(parents=True, exist_ok=True)
        info = folder.stat()
        # It belongs to whoever owns the folder: what root did in someone's checkout its owner can do again.
        write_whole(self._path, value, owner=Owner(info.st_uid, info.st_gid) if os.geteuid() == 0 else None)
