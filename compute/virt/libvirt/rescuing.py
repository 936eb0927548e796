"""The files of a rescue: a disk on top of the rescue image, and the guest's own definition as it was before."""

from pathlib import Path

import libvirt

from compute.virt import qemu_img
from compute.virt.driver import ImageCache, RescueSpec, Tell
from compute.virt.errors import DriverError
from compute.virt.layout import CONFIG_DRIVE, RESCUE_DISK, RESCUE_DRIVE
from compute.virt.libvirt import config_drive, rescue_xml, storage

_OWN, _KERNEL, _RAMDISK = "domain.unrescue.xml", "kernel.rescue", "ramdisk.rescue"
_KEPT = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE


def prepare(folder: Path, domain: libvirt.virDomain, rescue: RescueSpec, images: ImageCache, tell: Tell) -> str:
    """Return the definition for the rescue, with all it needs in the folder. The guest is not touched.

    The own definition is kept once: what is defined now may be a rescue that was interrupted. Of one that fails here nothing is left.
    """
    rescued = own_definition(folder, domain) is not None
    try:
        return _prepare(folder, domain, rescue, images, tell)
    except DriverError:
        if not rescued:
            forget(folder)
        raise


def _prepare(folder: Path, domain: libvirt.virDomain, rescue: RescueSpec, images: ImageCache, tell: Tell) -> str:
    parts = {_KERNEL: rescue.kernel, _RAMDISK: rescue.ramdisk}
    files = {name: images.fetch(part, tell) for name, part in parts.items() if part is not None}
    base = images.fetch(rescue.image, tell)
    with storage.sentences():
        own = _own(folder, domain)
        for name in parts:
            (folder / name).unlink(missing_ok=True)
        for name, file in files.items():
            storage.link(file, folder / name)
        disk = folder / RESCUE_DISK
        qemu_img.create_overlay(disk, base, "raw", None)
        disk.chmod(0o600)
        drive = _drive(folder, rescue.admin_pass)
    places = [folder / name if name in files else None for name in parts]
    return rescue_xml.build(own, rescue, disk, *places, drive=drive)


def own_definition(folder: Path, domain: libvirt.virDomain) -> str | None:
    """Return the definition as it was before the rescue, None for a guest that is not being rescued.

    What an interrupted rescue left counts no more once the guest is defined without the rescue's disk.
    """
    if str(folder / RESCUE_DISK) not in domain.XMLDesc(_KEPT):
        return None
    try:
        return (folder / _OWN).read_text()
    except FileNotFoundError:
        return None


def forget(folder: Path) -> None:
    """Remove the files of a rescue, the definition last: until then it can be gone back to."""
    with storage.sentences():
        for name in (RESCUE_DISK, RESCUE_DRIVE, _KERNEL, _RAMDISK, _OWN):
            (folder / name).unlink(missing_ok=True)


def _drive(folder: Path, admin_pass: str) -> Path | None:
    """Return a config drive with the password of the rescue, where the guest has a drive at all."""
    own, drive = folder / CONFIG_DRIVE, folder / RESCUE_DRIVE
    if not admin_pass or not own.exists():
        return None
    drive.unlink(missing_ok=True)
    drive.touch(mode=0o600)
    config_drive.write_with_password(drive, own, admin_pass)
    return drive


def _own(folder: Path, domain: libvirt.virDomain) -> str:
    kept = own_definition(folder, domain)
    if kept is not None:
        return kept
    found = str(domain.XMLDesc(_KEPT))
    storage.replace_private(folder / _OWN, found)
    return found
