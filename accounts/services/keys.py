"""Keys that seal: one folder of numbered files for tokens, another one for credentials.

The highest number seals; every other one still opens what it sealed until it is removed. ``0`` is the next key, already known
everywhere before it seals anything. A folder is looked at again each second, and at once when something does not open: a new key opens
from the first moment, and one that was removed opens nothing a second later.
"""

import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from portal.core.errors import Unavailable
from portal.core.files import write_private

LOG = logging.getLogger(__name__)

Stamp = tuple[tuple[str, int, int], ...]

KEEP = 3
LOOK_EVERY_S = 1.0
STAGED, PRIMARY, SECONDARY = "staged", "primary", "secondary"
_lock = Lock()


@dataclass(frozen=True)
class _Read:
    """What was found in a folder, and when somebody last looked whether it still is so (``time.monotonic``)."""

    stamp: Stamp
    cipher: MultiFernet | None
    looked_at: float


_read: dict[str, _Read] = {}


@dataclass(frozen=True)
class KeyFolder:
    """The keys of one purpose; ``setting`` names where they lie, ``missing`` says that there is none."""

    setting: str
    missing: str

    @property
    def path(self) -> Path:
        """Where the files are."""
        return Path(getattr(settings, self.setting))

    def cipher(self) -> MultiFernet:
        """Return what seals and opens; raises Unavailable when there is no key."""
        known = _read.get(str(getattr(settings, self.setting)))
        if known is None or known.cipher is None or time.monotonic() - known.looked_at >= LOOK_EVERY_S:
            known = self._look()
        if known.cipher is None:
            raise Unavailable(_(self.missing))
        return known.cipher

    def _look(self) -> _Read:
        folder = str(getattr(settings, self.setting))
        with _lock:
            now, stamp = time.monotonic(), _stamp(folder)
            known = _read.get(folder)
            cipher = known.cipher if known is not None and known.stamp == stamp else _load(Path(folder), stamp)
            found = _read[folder] = _Read(stamp, cipher, now)
        return found

    def seal(self, note: bytes) -> str:
        """Return a note sealed, as text that needs no quoting anywhere."""
        return self.cipher().encrypt(note).rstrip(b"=").decode()

    def unseal(self, sealed: str) -> bytes:
        """Return the note that one of the keys sealed; raises InvalidToken for every other text."""
        padded, cipher = _padded(sealed), self.cipher()
        try:
            return cipher.decrypt(padded)
        except InvalidToken:
            fresh = self._look().cipher
            if fresh is None or fresh is cipher:
                raise
            return fresh.decrypt(padded)

    def primary(self) -> Fernet:
        """Return the key that seals at present, alone; raises Unavailable when there is none."""
        self.cipher()
        return Fernet((self.path / str(max(_numbers(self.path)))).read_bytes().strip())

    def ensure(self) -> None:
        """Make the folder and its first two keys, as far as a key to seal with or the next one is missing."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        numbers = _numbers(self.path)
        for number in ({0} if any(numbers) else {0, 1}).difference(numbers):
            write_private(self.path / str(number), Fernet.generate_key())
        _read.pop(str(self.path), None)

    def rotate(self, keep: int = KEEP) -> None:
        """Let the next key seal, make a new next one, and drop the oldest beyond ``keep`` keys that still open."""
        self.ensure()
        folder = self.path
        (folder / "0").rename(folder / str(max(_numbers(folder)) + 1))
        write_private(folder / "0", Fernet.generate_key())
        sealing = sorted(number for number in _numbers(folder) if number)
        for number in sealing[: max(len(sealing) - keep, 0)]:
            (folder / str(number)).unlink()
        _read.pop(str(folder), None)

    def kinds(self) -> list[tuple[int, str]]:
        """Return each key's number and what it does now: ``primary`` seals, ``staged`` is next, ``secondary`` only opens."""
        numbers = sorted(_numbers(self.path)) if self.path.is_dir() else []
        return [(number, PRIMARY if number == numbers[-1] else STAGED if number == 0 else SECONDARY) for number in numbers]


TOKENS = KeyFolder("FERNET_KEY_DIR", gettext_noop("There is no key for tokens."))
CREDENTIALS = KeyFolder("CREDENTIAL_KEY_DIR", gettext_noop("There is no key for credentials."))


def opens(key: Fernet | MultiFernet, sealed: str) -> bool:
    """Whether a key opens this."""
    try:
        key.decrypt(_padded(sealed))
    except InvalidToken:
        return False
    return True


def _padded(sealed: str) -> bytes:
    if not sealed.isascii():
        raise InvalidToken
    return sealed.encode() + b"=" * (-len(sealed) % 4)


def _numbers(folder: Path) -> list[int]:
    return [int(entry.name) for entry in folder.iterdir() if _is_key(entry.name)]


def _is_key(name: str) -> bool:
    return name.isascii() and name.isdigit()


def _stamp(folder: str) -> Stamp:
    try:
        found = [(name, os.stat(f"{folder}/{name}")) for name in os.listdir(folder) if _is_key(name)]
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
            LOG.error("Key %s is not used: %s", folder / name, error)
    return MultiFernet(keys) if keys else None


__all__ = ["CREDENTIALS", "KEEP", "TOKENS", "InvalidToken", "KeyFolder", "opens"]
