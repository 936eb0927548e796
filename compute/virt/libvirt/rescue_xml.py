"""The definition of a guest that is being rescued, made from its own: only disks and what it boots from differ."""

import copy
from pathlib import Path

from compute.virt.driver import RescueSpec
from compute.virt.layout import CONFIG_DRIVE
from compute.virt.libvirt.domain_xml import DEFAULT_CMDLINE
from compute.virt.libvirt.markup import E, Element, read, render, text

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_PREFIXES = {"virtio": "vd", "ide": "hd"}
_OF_THE_PLACE = ("address", "alias", "boot", "serial", "wwn")


def build(
    own: str,
    rescue: RescueSpec,
    disk: Path,
    kernel: Path | None = None,
    ramdisk: Path | None = None,
    *,
    drive: Path | None = None,
) -> str:
    """Return the definition with the rescue ``disk`` in it, and with ``drive`` in place of the guest's config drive."""
    domain = read(own)
    devices = domain.find("./devices")
    disks = domain.findall("./devices/disk")
    if devices is None or not disks:
        return own
    added = _like(disks[0], disk)
    if drive is not None:
        _exchange(disks, drive.with_name(CONFIG_DRIVE), drive)
    if rescue.stable:
        _place(added, rescue, disks)
        disks[-1].addnext(added)
        if rescue.bus == "scsi" and domain.find("./devices/controller[@type='scsi']") is None:
            devices.append(E.controller(type="scsi", model="virtio-scsi"))
    else:
        _set_target(added, "vda", "virtio")
        disks[0].addprevious(added)
        _move_on(disks)
    _boot(domain, rescue, kernel, ramdisk)
    return render(domain)


def _exchange(disks: list[Element], own: Path, other: Path) -> None:
    for one in disks:
        source = one.find("source")
        if source is not None and source.get("file") == str(own):
            source.set("file", str(other))


def _like(root: Element, path: Path) -> Element:
    """Return a disk with the root disk's driver and another file."""
    made = copy.deepcopy(root)
    for name in (*_OF_THE_PLACE, "backingStore", "readonly"):
        for found in made.findall(name):
            made.remove(found)
    source = made.find("source")
    if source is not None:
        source.clear()
        source.set("file", str(path))
    return made


def _place(added: Element, rescue: RescueSpec, disks: list[Element]) -> None:
    prefix = _PREFIXES.get(rescue.bus, "sd")
    taken = {str(target.get("dev")) for one in disks if (target := one.find("target")) is not None}
    free = next(f"{prefix}{letter}" for letter in _LETTERS if f"{prefix}{letter}" not in taken)
    added.set("device", rescue.device)
    _set_target(added, free, rescue.bus)
    added.append(E.boot(order="1"))
    if rescue.device == "cdrom":
        added.append(E.readonly())
        driver = added.find("driver")
        if driver is not None and "discard" in driver.attrib:
            del driver.attrib["discard"]


def _move_on(disks: list[Element]) -> None:
    """Give each virtio disk the next letter; libvirt finds a place on the bus for it."""
    for one in disks:
        target = one.find("target")
        if target is None or not str(target.get("dev")).startswith("vd"):
            continue
        letter = _LETTERS.index(str(target.get("dev"))[2]) + 1
        target.set("dev", f"vd{_LETTERS[letter]}")
        for name in ("address", "alias"):
            for found in one.findall(name):
                one.remove(found)


def _set_target(disk: Element, dev: str, bus: str) -> None:
    target = disk.find("target")
    if target is not None:
        target.clear()
        target.set("dev", dev)
        target.set("bus", bus)


def _boot(domain: Element, rescue: RescueSpec, kernel: Path | None, ramdisk: Path | None) -> None:
    machine = domain.find("./os")
    if machine is None:
        return
    for name in ("kernel", "initrd", "cmdline", "boot"):
        for found in machine.findall(name):
            machine.remove(found)
    if kernel is not None:
        machine.append(E.kernel(str(kernel)))
        if ramdisk is not None:
            machine.append(E.initrd(str(ramdisk)))
        machine.append(E.cmdline(text(rescue.kernel_args) or DEFAULT_CMDLINE))
    elif not rescue.stable:  # a boot order on one device and a list of kinds of devices exclude each other
        machine.append(E.boot(dev="hd"))
