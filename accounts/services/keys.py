"""The keys of tokens: numbered files in one folder.

The highest number signs new tokens; every other one still opens old tokens until it is removed. ``0`` is the next key, already
known everywhere before it signs anything. The folder is read again as soon as it changes.
"""

import logging
import os
from pathlib import Path
from threading import Lock

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from portal.core.errors import Unavailable

LOG = logging.getLogger(__name__)

Stamp = tuple[tuple[str, int, int], ...]

KEEP = 3
_lock = Lock()
_read: dict[Path, tuple[Stamp, MultiFernet | None]] = {}


def cipher() -> MultiFernet:
    """Return what seals and opens tokens; raises Unavailable when there is no key."""
    folder = Path(settings.FERNET_KEY_DIR)
    stamp = _stamp(folder)
    known = _read.get(folder)
    if known is None or known[0] != stamp:
        with _lock:
            known = _read[folder] = (stamp, _load(folder, stamp))
    if known[1] is None:
        raise Unavailable("There is no key for tokens.")
    return known[1]


def ensure(folder: Path | None = None) -> None:
    """Make the folder and its first two keys when there are none."""
    folder = folder or Path(settings.FERNET_KEY_DIR)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _numbers(folder):
        for number in (0, 1):
            _write(folder / str(number))


def rotate(folder: Path | None = None, keep: int = KEEP) -> None:
    """Let the next key sign, make a new next one, and drop the oldest beyond ``keep`` keys that still open tokens."""
    folder = folder or Path(settings.FERNET_KEY_DIR)
    ensure(folder)
    (folder / "0").rename(folder / str(max(_numbers(folder)) + 1))
    _write(folder / "0")
    signing = sorted(number for number in _numbers(folder) if number)
    for number in signing[: max(len(signing) - keep, 0)]:
        (folder / str(number)).unlink()


def _numbers(folder: Path) -> list[int]:
    return [int(entry.name) for entry in folder.iterdir() if _is_key(entry.name)]


def _is_key(name: str) -> bool:
    return name.isascii() and name.isdigit()


def _stamp(folder: Path) -> Stamp:
    try:
        with os.scandir(folder) as entries:
            found = [(entry.name, entry.stat()) for entry in entries if _is_key(entry.name)]
    except OSError:
        return ()
    return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in found))


def _load(folder: Path, stamp: Stamp) -> MultiFernet | None:
    names = sorted((name for name, _mtime, _size in stamp), key=int, reverse=True)
    keys = []
    for name in names:
        try:
            keys.append(Fernet((folder / name).read_bytes().strip()))
        except (OSError, ValueError) as error:
            LOG.error("Key %s of tokens is not used: %s", name, error)
    return MultiFernet(keys) if keys else None


def _write(path: Path) -> None:
    part = path.with_name(f".{path.name}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(Fernet.generate_key())
    part.rename(path)


__all__ = ["InvalidToken", "cipher", "ensure", "rotate"]
