"""What a pretended guest has of a disk: a small file, of which true qcow2 files are made that other services take."""

import struct
from pathlib import Path

from compute.states import TaskState
from compute.virt.driver import BuildProgress, GuestSpec, RescueSpec, Tell
from compute.virt.layout import GIB, RESCUE_DISK, ROOT_DISK
from compute.virt.libvirt import rescue_xml

_CLUSTER = 1 << 16
_HEAD = struct.Struct(">4sIQIIQIIQQIIQ")


def fill(folder: Path, spec: GuestSpec) -> None:
    """Make the disk of a new guest."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ROOT_DISK).write_text(f"disk of image {spec.image.id}\n")


def copy(folder: Path, target: Path, tell: Tell) -> None:
    """Write a copy of the disk as an image."""
    content = (folder / ROOT_DISK).read_bytes()
    tell(BuildProgress(TaskState.IMAGE_SNAPSHOT, "copying the disk", len(content), len(content)))
    part = target.with_name(f"{target.name}.part")
    part.write_bytes(blank_qcow2(GIB) + content.ljust(_CLUSTER, b"\0"))
    part.rename(target)


def rescued(own: str, rescue: RescueSpec, folder: Path) -> str:
    """Return the definition of a guest that is being rescued."""
    kernel = folder / "kernel.rescue" if rescue.kernel else None
    ramdisk = folder / "ramdisk.rescue" if rescue.ramdisk else None
    return rescue_xml.build(own, rescue, folder / RESCUE_DISK, kernel, ramdisk)


def blank_qcow2(size_bytes: int) -> bytes:
    """Return an empty disk (qcow2 specification, version 2): head, reference counts of its four clusters, and a table of none."""
    entries = -(-size_bytes // (_CLUSTER * _CLUSTER // 8))
    places = {"counts": _CLUSTER, "count": 2 * _CLUSTER, "table": 3 * _CLUSTER}
    head = _HEAD.pack(
        b"QFI\xfb", 2, 0, 0, 16, size_bytes, 0, entries, places["table"], places["counts"], 1, 0, 0
    )  # fmt: skip
    counts = struct.pack(">Q", places["count"])
    count = struct.pack(">5H", 1, 1, 1, 1, 1)
    return b"".join(part.ljust(_CLUSTER, b"\0") for part in (head, counts, count, b""))
