"""The folder of a guest: made from its layout, and removed whole."""

import errno
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from compute.virt import qemu_img
from compute.virt.driver import Cancelled, GuestSpec, ImageCache, Tell
from compute.virt.errors import BuildCancelled, DriverError
from compute.virt.layout import GIB, RESCUE_DISK, ROOT_DISK, Disk, Layout
from compute.virt.libvirt import config_drive

_QCOW2_HEAD = struct.Struct(">4sIQI")
_QCOW2_SIZE_AT = 24
_LONGEST_NAME = 1023


@contextmanager
def sentences() -> Iterator[None]:
    """Turn what the file system says into a sentence for people."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DriverError("The disk of this host is full.") from error
        raise DriverError(f"{error.filename or 'A file'}: {error.strerror}.") from error


def cache_mode(folder: Path) -> str:
    """Return ``none`` where the file system lets QEMU go around the page cache, else ``writeback``."""
    probe = folder / f".direct-{os.getpid()}"
    try:
        descriptor = os.open(probe, os.O_CREAT | os.O_WRONLY | os.O_DIRECT, 0o600)
    except OSError:
        return "writeback"
    else:
        os.close(descriptor)
        return "none"
    finally:
        probe.unlink(missing_ok=True)


def prepare(layout: Layout, definition: str) -> None:
    """Make the folder with the definition in it: whatever happens next, it tells what has to be given back."""
    with sentences():
        layout.folder.mkdir(mode=0o711)
        layout.folder.chmod(0o711)
        write_private(layout.definition, definition)
        write_private(layout.folder / "disk.info", layout.disk_info())


def fill(layout: Layout, spec: GuestSpec, images: ImageCache, tell: Tell, cancelled: Cancelled) -> None:
    """Fetch what is missing and make the disks; stops between two steps once ``cancelled``."""
    base = images.fetch(spec.image, tell)
    if spec.kernel and layout.kernel:
        link(images.fetch(spec.kernel, tell), layout.kernel)
    if spec.ramdisk and layout.ramdisk:
        link(images.fetch(spec.ramdisk, tell), layout.ramdisk)
    for disk in layout.disks:
        if cancelled():
            raise BuildCancelled(spec.server_id)
        with sentences():
            _make(disk, base, spec)
            disk.path.chmod(0o600)


def keep_definition(folder: Path, definition: str) -> None:
    """Write down what a guest is now, so that its end gives back what it holds even when libvirt forgot it."""
    replace_private(folder / "domain.xml", definition)


def tell_places(layout: Layout, spec: GuestSpec, places: Mapping[str, str]) -> None:
    """Write the config drive again, now that libvirt chose where the cards are plugged in, if somebody wants to find one."""
    told = config_drive.placed(spec, places)
    for disk in layout.disks:
        if told is not None and disk.role == "config":
            with sentences():
                part = disk.path.with_suffix(".part")
                part.touch(mode=0o600)
                config_drive.write(part, told)
                part.replace(disk.path)


def remove(folder: Path) -> None:
    """Remove a guest's folder; one that is not there is a success."""
    with sentences():
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            return


def bases(instances: Path) -> list[Path]:
    """Return the file under each guest's disk; raises DriverError when a disk does not tell.

    The disk itself is asked, since only its own header says for certain. Only the first bytes are read, so a thousand guests cost
    no more than a thousand small reads.
    """
    with sentences():
        found = [backing_file(disk) for name in (ROOT_DISK, RESCUE_DISK) for disk in instances.glob(f"*/{name}")]
    return [base for base in found if base is not None]


def backing_file(disk: Path) -> Path | None:
    """Return what a qcow2 file names as its backing file (qcow2 specification, "Header"); None for a disk that is gone by now."""
    try:
        with disk.open("rb") as file:
            header = file.read(_QCOW2_HEAD.size)
            if len(header) < _QCOW2_HEAD.size:
                return None  # a build has just begun to write it
            magic, _version, offset, length = _QCOW2_HEAD.unpack(header)
            if magic != b"QFI\xfb" or not offset:
                return None
            file.seek(offset)
            return Path(os.fsdecode(file.read(min(length, _LONGEST_NAME))))
    except FileNotFoundError:
        return None


def _make(disk: Disk, base: Path, spec: GuestSpec) -> None:
    match disk.role:
        case "root":
            check_fits(base.stat().st_size, spec)
            qemu_img.create_overlay(disk.path, base, "raw", disk.size_bytes)
        case "config":
            config_drive.write(disk.path, spec)
        case "swap":
            make_swap(disk.path, disk.format, disk.size_bytes or 0)
        case _:
            qemu_img.create_blank(disk.path, disk.format, disk.size_bytes or 0)


def make_swap(path: Path, disk_format: str, size_bytes: int) -> None:
    """Make an empty swap disk."""
    qemu_img.create_blank(path, disk_format, size_bytes)
    subprocess.run(["mkswap", str(path)], check=False, capture_output=True)


def check_fits(image_bytes: int, spec: GuestSpec) -> None:
    """Refuse an image that is larger than the guest's disk."""
    if spec.root_gb and image_bytes > spec.root_gb * GIB:
        needed = -(-image_bytes // GIB)
        raise DriverError(f"The image needs a disk of {needed} GB; flavor {spec.flavor_name} gives {spec.root_gb} GB.")


def link(source: Path, target: Path) -> None:
    """The same file under a second name: it is only ever read, and removing one name leaves the other."""
    with sentences():
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)


def write_private(path: Path, content: str) -> None:
    """Write a file that nobody else reads."""
    path.touch(mode=0o600)
    path.write_text(content)


def replace_private(path: Path, content: str) -> None:
    """Write a file that nobody else reads in place of the one that is there, whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    with sentences():
        try:
            part.unlink(missing_ok=True)
            write_private(part, content)
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise


def virtual_size(disk: Path) -> int:
    """Return how large the guest sees a qcow2 file (qcow2 specification, "Header")."""
    with sentences(), disk.open("rb") as file:
        file.seek(_QCOW2_SIZE_AT)
        return int.from_bytes(file.read(8), "big")


def copy(source: Path, target: Path) -> None:
    """Copy a disk, sharing its blocks where the file system can; raises DriverError and then leaves nothing."""
    command = ["cp", "--reflink=auto", "--sparse=always", "--preserve=mode,ownership", str(source), str(target)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        target.unlink(missing_ok=True)
        full = os.strerror(errno.ENOSPC) in done.stderr
        raise DriverError("The disk of this host is full." if full else f"{source.name} could not be copied.")
