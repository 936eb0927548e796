"""The few things asked of ``qemu-img``, always in a limited child and always with every format said.

A guessed format can name a host's file, so nothing is ever probed. Only ``convert`` reads what a stranger wrote, and only after
``inspection`` passed it.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from portal.core.disks import child
from portal.core.disks.child import ChildError, Limits

# What the Image API calls a format, and qemu-img's name for it.
FORMATS = {
    "raw": "raw",
    "ami": "raw",
    "iso": "raw",
    "gpt": "raw",
    "qcow2": "qcow2",
    "vmdk": "vmdk",
    "vdi": "vdi",
    "vhd": "vpc",
    "vhdx": "vhdx",
}
KEEP_FREE_BYTES = 512 << 20
_SLACK_BYTES = 64 << 20
_SMALL = Limits(file_bytes=1 << 30, seconds=60, cpu_seconds=30, memory_bytes=1 << 30)
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL
_QUIET = "-q"


def create_overlay(path: Path, base: Path, base_format: str, size_bytes: int) -> None:
    """Make a qcow2 file of a size on top of ``base``, which is not opened: its format and size are known."""
    _create(path, ["-u", "-f", "qcow2", "-b", str(base), "-F", base_format], size_bytes, _SMALL)


def create_blank(path: Path, disk_format: str, size_bytes: int) -> None:
    """Make an empty disk that takes room only as it is written."""
    _create(path, ["-f", disk_format], size_bytes, _with_room(size_bytes))


def grow(path: Path, disk_format: str, size_bytes: int) -> None:
    """Make a disk larger. The file under it is not opened: what is added reads as zeros all the same."""
    with child.lent(path, os.O_RDWR) as writing:
        opened: dict[str, Any] = {"driver": disk_format, "file": {"driver": "file", "filename": child.named(writing)}}
        if disk_format == "qcow2":
            opened["backing"] = None
        limits = _with_room(max(size_bytes, path.stat().st_size))
        command = ["qemu-img", "resize", _QUIET, f"json:{json.dumps(opened)}", str(size_bytes)]
        child.run(command, limits=limits, files=(writing,))


def convert(
    source: Path,
    source_format: str,
    target: Path,
    target_format: str,
    *,
    virtual_bytes: int,
    still_wanted: Callable[[], None] | None = None,
    keep_free_bytes: int = KEEP_FREE_BYTES,
) -> None:
    """Write a disk of ``virtual_bytes`` into a new file of another format; raises ChildError, and then leaves no file.

    A small file can hold a disk full of data. It may fill what is free except for ``keep_free_bytes``, which others live on.
    """

    def watch() -> None:
        if still_wanted is not None:
            still_wanted()
        if shutil.disk_usage(target.parent).free < keep_free_bytes:
            raise ChildError("Its data would fill the disk of this host.")

    with child.lent(source, os.O_RDONLY) as reading, _made(target) as writing:
        formats = ["-f", source_format, "-O", target_format]
        command = ["qemu-img", "convert", _QUIET, *formats, child.named(reading), child.named(writing)]
        child.run(command, limits=_with_room(virtual_bytes), files=(reading, writing), still_wanted=watch)


def flatten(
    source: Path, base: Path | None, target: Path, *, virtual_bytes: int, still_wanted: Callable[[], None] | None = None
) -> None:
    """Write a qcow2 disk of ours and the raw ``base`` under it into one new qcow2 file; raises ChildError, and then leaves no file."""

    def watch() -> None:
        if still_wanted is not None:
            still_wanted()
        if shutil.disk_usage(target.parent).free < KEEP_FREE_BYTES:
            raise ChildError("The copy would fill the disk of this host.")

    with child.lent(source, os.O_RDONLY) as upper, _opened(base) as lower, _made(target) as writing:
        files = [upper, *lower, writing]
        under = {"driver": "raw", "file": {"driver": "file", "filename": child.named(lower[0])}} if lower else None
        disk = {"driver": "qcow2", "file": {"driver": "file", "filename": child.named(upper)}, "backing": under}
        command = ["qemu-img", "convert", _QUIET, "-O", "qcow2", f"json:{json.dumps(disk)}", child.named(writing)]
        child.run(command, limits=_with_room(virtual_bytes), files=files, still_wanted=watch)


@contextmanager
def _opened(path: Path | None) -> Iterator[list[int]]:
    """A file that everybody may read; nobody else's use of it changes."""
    descriptors = [] if path is None else [os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)]
    try:
        yield descriptors
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _create(path: Path, options: list[str], size_bytes: int, limits: Limits) -> None:
    with _made(path) as writing:
        child.run(
            ["qemu-img", "create", _QUIET, *options, child.named(writing), str(size_bytes)], limits=limits, files=(writing,)
        )


@contextmanager
def _made(path: Path) -> Iterator[int]:
    """A new file, lent to a child; after a failure it is gone."""
    path.unlink(missing_ok=True)
    try:
        with child.lent(path, _NEW) as descriptor:
            yield descriptor
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _with_room(size_bytes: int) -> Limits:
    return Limits(file_bytes=size_bytes + size_bytes // 1000 + _SLACK_BYTES)
