"""The image cache of a host: ``_base/<SHA-1 of the image's id>``, each image fetched once and kept as a raw, sparse file.

The file ``.lock`` beside it is held by whoever fetches the image. Its text is the image's id and, on a second line, size and time of
the image's file as it was fetched; its own time is when the image was used last.

Raw, as nova does: reading a backing file that is itself qcow2 (often compressed) costs every guest on it again and again, and a
raw file can name no other file. The disks on top are qcow2 and hold only what a guest wrote.
"""

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from compute.states import TaskState
from compute.virt.driver import BuildProgress, ImageRef, Tell
from compute.virt.errors import ImageUnavailable
from compute.virt.naming import cache_name
from compute.worker import download
from portal.core.disks import qemu_img
from portal.core.disks.child import ChildError

LOG = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.1
_PLAIN = ("aki", "ari")
LOCK_FLAGS = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
_DISKS = frozenset({"bare", "ami", "ovf"})


class FileImageCache:
    """Fulfils ``compute.virt.driver.ImageCache``; several processes may share the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._make_folder()

    def _make_folder(self) -> None:
        """The cache may be emptied or its disk changed while we run: it is a cache."""
        self._folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        self._folder.chmod(0o711)

    def fetch(self, image: ImageRef, tell: Tell) -> Path:
        """Return the image's file. Of several builds that want it, one fetches and the others wait."""
        target = self._folder / cache_name(image.id)
        if not is_whole(target):
            started = time.monotonic()
            self._make_folder()
            with self._turn(target, tell):
                if not is_whole(target):
                    if is_cached(target):
                        LOG.warning("Image cache: %s is not what was fetched, and is fetched again", image.id)
                    try:
                        self._bring(image, target, tell)
                    except OSError as error:
                        raise ImageUnavailable(f"Image {image.id} could not be stored: {error.strerror}.") from error
                    LOG.info("Image cache: fetched %s in %.2f s", image.id, time.monotonic() - started)
                    note_use(target, image.id)
                    return target
        LOG.info("Image cache: hit %s", image.id)
        note_use(target, image.id)
        return target

    @contextmanager
    def _turn(self, target: Path, tell: Tell) -> Iterator[None]:
        """Be the only one to fetch; the kernel gives the lock up should this process die."""
        descriptor = os.open(record_of(target), LOCK_FLAGS, 0o600)
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    tell(BuildProgress(TaskState.BLOCK_DEVICE_MAPPING, "waiting for the image, which another build fetches"))
                    time.sleep(_LOOK_EVERY_S)
            yield
        finally:
            os.close(descriptor)

    def _bring(self, image: ImageRef, target: Path, tell: Tell) -> None:
        """Download, check, convert; only a whole and proven file gets the name under which others look for it."""
        part, converted = (target.with_name(f"{target.name}.{word}") for word in ("part", "converted"))
        try:
            for stale in (part, converted):
                stale.unlink(missing_ok=True)
            download.download(image, part, tell)
            ready = part
            if image.disk_format not in _PLAIN and image.container_format not in _PLAIN:
                virtual_bytes = inspect(image, part)
                if qemu_img.FORMATS[image.disk_format] != "raw":
                    self._convert(image, part, virtual_bytes, converted, tell)
                    ready = converted
            ready.chmod(0o644)
            _sync(ready)
            _note_whole(target, image.id, ready)
            ready.rename(target)
            _sync(self._folder)
        finally:
            for left in (part, converted):
                left.unlink(missing_ok=True)

    def _convert(self, image: ImageRef, part: Path, virtual_bytes: int, converted: Path, tell: Tell) -> None:
        step = BuildProgress(TaskState.BLOCK_DEVICE_MAPPING, "converting the image")
        source_format = qemu_img.FORMATS[image.disk_format]
        try:
            qemu_img.convert(
                part, source_format, converted, "raw", virtual_bytes=virtual_bytes, still_wanted=lambda: tell(step)
            )
        except ChildError as error:
            raise ImageUnavailable(f"Image {image.id} could not be converted: {error}") from error


def inspect(image: ImageRef, path: Path) -> int:
    """Return the size of the disk in a file; raises ImageUnavailable unless the file is what the image says, and harmless.

    A disk may name another file as its backing or data file; on a host that would be a file of the host.
    """
    from portal.core.disks import inspection  # only a host that fetches images needs the inspectors in memory

    if image.disk_format not in qemu_img.FORMATS or image.container_format not in _DISKS:
        what = f"{image.disk_format} in {image.container_format}"
        raise ImageUnavailable(f"Image {image.id} is {what}, which this host cannot use.")
    try:
        return inspection.inspect_file(path, image.disk_format) or 0
    except inspection.Refused as error:
        raise ImageUnavailable(f"Image {image.id} is refused: {error}") from error


def record_of(target: Path) -> Path:
    """Return the file beside a cached image that is held during its fetch and says what is known of it."""
    return target.with_name(f"{target.name}.lock")


def note_use(target: Path, image_id: str) -> None:
    """Write down that an image is used now, so that it does not age; one that cannot be noted is used all the same."""
    try:
        descriptor = os.open(record_of(target), LOCK_FLAGS, 0o600)
        try:
            os.pwrite(descriptor, image_id.encode(), 0)
        finally:
            os.close(descriptor)
    except OSError as error:
        LOG.warning("Image cache: the use of %s was not noted: %s", image_id, error.strerror)


def is_whole(target: Path) -> bool:
    """Whether the file is there and has the size and the time with which it was fetched.

    One from before that was noted is taken for whole. What rots without a trace in these two is not noticed.
    """
    if not is_cached(target):
        return False
    try:
        noted = record_of(target).read_text(errors="replace").partition("\n")[2].strip()
        return not noted or noted == _facts(target)
    except FileNotFoundError:
        return is_cached(target)


def _facts(path: Path) -> str:
    found = path.stat()
    return f"{found.st_size} {found.st_mtime_ns}"


def _note_whole(target: Path, image_id: str, ready: Path) -> None:
    """Write down what the file is that is about to take its name, before it does: no file goes by the note of another."""
    descriptor = os.open(record_of(target), LOCK_FLAGS, 0o600)
    try:
        text = f"{image_id}\n{_facts(ready)}\n".encode()
        os.pwrite(descriptor, text, 0)
        os.ftruncate(descriptor, len(text))
    finally:
        os.close(descriptor)


def is_cached(target: Path) -> bool:
    """Whether the file is there; a link in its place, leading who knows where, is not the file."""
    return target.is_file() and not target.is_symlink()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
