"""Disks of guests, made by ``qemu-img`` in a limited child; what goes wrong is a sentence of the driver."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from compute.virt.errors import DriverError
from portal.core.disks import qemu_img
from portal.core.disks.child import ChildError


def create_overlay(path: Path, base: Path, base_format: str, size_bytes: int | None) -> None:
    """Make a qcow2 file on top of ``base``, as large as the base when no size is given."""
    with _sentences():
        qemu_img.create_overlay(path, base, base_format, base.stat().st_size if size_bytes is None else size_bytes)


def create_blank(path: Path, disk_format: str, size_bytes: int) -> None:
    """Make an empty disk that takes room only as it is written."""
    with _sentences():
        qemu_img.create_blank(path, disk_format, size_bytes)


def flatten(path: Path, base: Path | None, target: Path, *, virtual_bytes: int, still_wanted: Callable[[], None]) -> None:
    """Write a guest's disk and what lies under it into one new qcow2 file."""
    with _sentences():
        qemu_img.flatten(path, base, target, virtual_bytes=virtual_bytes, still_wanted=still_wanted)


def grow(path: Path, disk_format: str, size_bytes: int) -> None:
    """Make a disk larger."""
    with _sentences():
        qemu_img.grow(path, disk_format, size_bytes)


@contextmanager
def _sentences() -> Iterator[None]:
    try:
        yield
    except ChildError as error:
        raise DriverError(str(error)) from error
    except OSError as error:
        raise DriverError(f"{error.filename or 'A disk'}: {error.strerror}.") from error
