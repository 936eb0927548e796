"""Which files a guest has in its folder: decided from its description alone, before anything is made."""

import json
from dataclasses import dataclass
from pathlib import Path

from compute.virt.driver import GuestSpec

GIB = 1024**3
MIB = 1024**2
ROOT_DISK = "disk"
RESCUE_DISK = "disk.rescue"
EPHEMERAL_DISK = "disk.eph0"
SWAP_DISK = "disk.swap"


@dataclass(frozen=True)
class Disk:
    """One disk of a guest. ``size_bytes`` is None where the content decides."""

    role: str
    path: Path
    format: str
    target: str
    size_bytes: int | None = None
    readonly: bool = False


@dataclass(frozen=True)
class Layout:
    """The folder of a guest, named by its id, and what lies in it."""

    folder: Path
    disks: list[Disk]
    kernel: Path | None
    ramdisk: Path | None

    @property
    def console(self) -> Path:
        """What the first serial port wrote."""
        return self.folder / "console.log"

    @property
    def definition(self) -> Path:
        """The definition as it was given to libvirt."""
        return self.folder / "domain.xml"

    def disk_info(self) -> str:
        """Return the document that records each disk's format, so that nobody ever has to guess it from the content."""
        return json.dumps({str(disk.path): disk.format for disk in self.disks})


def plan(instances: Path, spec: GuestSpec) -> Layout:
    """Return the files that this guest will have."""
    folder = instances / spec.server_id
    wanted = [("root", ROOT_DISK, "qcow2", spec.root_gb * GIB or None)]
    if spec.ephemeral_gb:
        wanted.append(("ephemeral", EPHEMERAL_DISK, "qcow2", spec.ephemeral_gb * GIB))
    if spec.swap_mb:
        wanted.append(("swap", SWAP_DISK, "raw", spec.swap_mb * MIB))
    if spec.config_drive:
        wanted.append(("config", "config.iso", "raw", None))
    disks = [
        Disk(role, folder / name, disk_format, f"vd{chr(ord('a') + place)}", size, readonly=role == "config")
        for place, (role, name, disk_format, size) in enumerate(wanted)
    ]
    return Layout(
        folder=folder,
        disks=disks,
        kernel=folder / "kernel" if spec.kernel else None,
        ramdisk=folder / "ramdisk" if spec.ramdisk else None,
    )
