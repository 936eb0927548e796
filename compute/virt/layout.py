"""Which files a guest has in its folder: decided from its description alone, before anything is made."""

import json
from dataclasses import dataclass
from pathlib import Path

from compute.virt import hardware
from compute.virt.driver import GuestSpec

GIB = 1024**3
MIB = 1024**2
ROOT_DISK = "disk"
_PREFIXES = {"virtio": "vd", "ide": "hd"}
RESCUE_DISK = "disk.rescue"
CONFIG_DRIVE = "config.iso"
RESCUE_DRIVE = "config.rescue.iso"
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
    bus: str = "virtio"
    device: str = "disk"


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
    def serial(self) -> Path:
        """Where the first serial port listens."""
        return self.folder / "serial.sock"

    @property
    def definition(self) -> Path:
        """The definition as it was given to libvirt."""
        return self.folder / "domain.xml"

    def disk_info(self) -> str:
        """Return the document that records each disk's format, so that nobody ever has to guess it from the content."""
        return json.dumps({str(disk.path): disk.format for disk in self.disks})


def target(bus: str, place: int) -> str:
    """Return the name of the ``place``-th device on a bus, as guests of old would call it."""
    return f"{_PREFIXES.get(bus, 'sd')}{chr(ord('a') + place)}"


def plan(instances: Path, spec: GuestSpec) -> Layout:
    """Return the files that this guest will have."""
    folder, wished = instances / spec.server_id, hardware.resolve(spec.vcpus, spec.extra_specs, spec.image_properties)
    wanted = [("root", ROOT_DISK, "qcow2", spec.root_gb * GIB or None)]
    if spec.ephemeral_gb:
        wanted.append(("ephemeral", EPHEMERAL_DISK, "qcow2", spec.ephemeral_gb * GIB))
    if spec.swap_mb:
        wanted.append(("swap", SWAP_DISK, "raw", spec.swap_mb * MIB))
    disks = [
        Disk(role, folder / name, disk_format, target(wished.disk_bus, place), size, bus=wished.disk_bus)
        for place, (role, name, disk_format, size) in enumerate(wanted)
    ]
    if spec.config_drive:
        disks.append(_config_drive(folder, wished, disks))
    return Layout(
        folder=folder,
        disks=disks,
        kernel=folder / "kernel" if spec.kernel else None,
        ramdisk=folder / "ramdisk" if spec.ramdisk else None,
    )


def _config_drive(folder: Path, wished: hardware.Hardware, disks: list[Disk]) -> Disk:
    """A plain disk, which every system with the root disk's driver can read; a CD where the image names a bus for CDs.

    QEMU has no disks that cannot be written on IDE and SATA, and no CDs on virtio.
    """
    bus = wished.cdrom_bus or wished.disk_bus
    place = sum(_PREFIXES.get(disk.bus, "sd") == _PREFIXES.get(bus, "sd") for disk in disks)
    device = "cdrom" if bus in ("ide", "sata") or (wished.cdrom_bus and bus != "virtio") else "disk"
    return Disk("config", folder / CONFIG_DRIVE, "raw", target(bus, place), readonly=True, bus=bus, device=device)
