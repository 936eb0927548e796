"""What the image cache of this host holds, what must stay of it, and what may go."""

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from compute.messages import HeldImage
from compute.virt.errors import DriverError
from compute.virt.naming import cache_name
from compute.worker.images import LOCK_FLAGS, is_cached, record_of

LOG = logging.getLogger(__name__)

TIDY_EVERY_S = 3600.0
_DAY_S = 86_400
_LONGEST_ID = 255


@dataclass(frozen=True)
class _File:
    """One file of the cache. ``image_id`` is empty where no record says whose it is."""

    path: Path
    image_id: str
    bytes: int
    disks: int
    fetched_at: float
    used_at: float


class Holdings:
    """Lists, removes and ages what lies in ``folder``. ``bases`` tells the file under each disk of each guest.

    A build is between the fetch of its image and the disk on top of it for a moment; ``kept`` names its images until then.
    """

    def __init__(self, folder: Path, bases: Callable[[], list[Path]], *, keep_days: int) -> None:
        self._folder = folder
        self._bases = bases
        self._keep_s = keep_days * _DAY_S
        self._lock = threading.Lock()
        self._kept: Counter[str] = Counter()
        self._tidied_at: float | None = None

    @contextmanager
    def kept(self, image_ids: Iterable[str]) -> Iterator[None]:
        """Let nothing remove these images meanwhile."""
        names = [cache_name(image_id) for image_id in image_ids]
        with self._lock:
            self._kept.update(names)
        try:
            yield
        finally:
            with self._lock:
                self._kept.subtract(names)

    def listed(self) -> list[HeldImage] | None:
        """Return the images that are here; None when it cannot be told now which of them are used."""
        try:
            return [
                HeldImage(file.image_id, file.bytes, file.disks, file.fetched_at, file.used_at)
                for file in self._files()
                if file.image_id
            ]
        except (DriverError, OSError) as error:
            LOG.warning("Image cache: not listed: %s", error)
            return None

    def evict(self, image_id: str) -> bool:
        """Remove an image; False when it is used and stays. One that is not here is a success."""
        return self._remove(self._folder / cache_name(image_id), image_id)

    def tidy(self) -> None:
        """Once an hour, note which images are used and remove those that no disk has used for ``keep_days``, unless that is 0."""
        now = time.monotonic()
        if self._tidied_at is not None and now - self._tidied_at < TIDY_EVERY_S:
            return
        self._tidied_at = now
        try:
            self._age()
        except (DriverError, OSError) as error:
            LOG.warning("Image cache: nothing was aged: %s", error)

    def _age(self) -> None:
        now = time.time()
        for file in self._files():
            if file.disks or not record_of(file.path).exists():
                _touch(record_of(file.path))
            elif self._keep_s and now - file.used_at > self._keep_s:
                self._remove(file.path, f"{file.image_id or file.path.name}, unused for {self._keep_s // _DAY_S} days,")

    def _remove(self, path: Path, what: str) -> bool:
        """Remove a file that nobody uses. No build can take it up between the question and the removal."""
        with self._lock:
            if self._kept[path.name] > 0 or self._disks()[path.name] or (is_cached(path) and path.stat().st_nlink > 1):
                LOG.info("Image cache: %s is used and stays", what)
                return False
            path.unlink(missing_ok=True)
        LOG.info("Image cache: removed %s", what)
        return True

    def _disks(self) -> Counter[str]:
        return Counter(base.name for base in self._bases())

    def _files(self) -> list[_File]:
        found = []
        disks = self._disks()
        for path in sorted(self._folder.iterdir()) if self._folder.is_dir() else []:
            if path.suffix or not is_cached(path):
                continue
            try:
                facts = path.stat()
                image_id, used_at = _read(record_of(path))
            except FileNotFoundError:
                continue  # removed meanwhile
            # A kernel or ramdisk is no base of a disk: its guests have it under a second name.
            count = disks[path.name] + facts.st_nlink - 1
            known = image_id if cache_name(image_id) == path.name else ""
            used = max(used_at, facts.st_mtime)
            found.append(_File(path, known, facts.st_blocks * 512, count, facts.st_mtime, used))
        return found


def _read(record: Path) -> tuple[str, float]:
    """Return whose file this is and when it was used last, as far as the record says."""
    try:
        with record.open("rb") as file:
            first = file.readline(_LONGEST_ID).decode("ascii", "replace").rstrip("\n")
            return first, os.fstat(file.fileno()).st_mtime
    except FileNotFoundError:
        return "", 0.0


def _touch(record: Path) -> None:
    descriptor = os.open(record, LOCK_FLAGS, 0o600)
    try:
        os.utime(descriptor)
    finally:
        os.close(descriptor)
