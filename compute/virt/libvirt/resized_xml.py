"""The definition of a guest after a resize: what a flavor decides is built anew, all else stays as it is.

So it is the definition that a new guest of that flavor would get, with the disks, cards, machine and places on its buses that this one
has. It is not built from an image, which may be gone by now.
"""

import copy
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from pathlib import Path

from compute.virt import hardware
from compute.virt.driver import GuestSize
from compute.virt.hardware import Hardware
from compute.virt.layout import Disk
from compute.virt.libvirt import domain_xml, extras, processor
from compute.virt.libvirt.domain_xml import NOVA, Machine
from compute.virt.libvirt.markup import E, Element, read, render, text

_OF_ONE_DISK = ("address", "alias", "backingStore", "boot", "serial", "wwn", "readonly")


def resized(definition: str, size: GuestSize, machine: Machine, added: list[Disk], removed: list[Path]) -> str:
    """Return the definition with what the size gives, and these disks more and less; raises Refused for what cannot be."""
    root, wished = read(definition), hardware.resolve(size.vcpus, size.extra_specs, size.image_properties)
    for tag in ("memory", "currentMemory"):
        _put(root, tag, str(size.memory_mb * 1024), unit="KiB")
    for vcpu in root.iterfind("vcpu"):
        vcpu.text = str(size.vcpus)
        _without(vcpu, "current")
    _processor(root, wished, size.vcpus, machine)
    _flavor(root, size)
    for path in removed:
        element = disk_of(root, path)
        if element is not None:
            _devices(root).remove(element)
    for disk in added:
        if disk_of(root, disk.path) is None:
            _add(root, disk)
    _machine(root, wished)
    _change_devices(_devices(root), wished)
    _panic(root)
    return render(root)


def disk_of(root: Element, path: Path) -> Element | None:
    """Return the disk that is this file."""
    return next((disk for disk in root.iterfind("devices/disk") if _file_of(disk) == str(path)), None)


def _file_of(disk: Element) -> str | None:
    source = disk.find("source")
    return None if source is None else source.get("file")


def _put(root: Element, path: str, value: str, **attributes: str) -> None:
    element = root.find(path)
    if element is not None:
        element.text = value
        _set(element, attributes)


def _processor(root: Element, wished: Hardware, vcpus: int, machine: Machine) -> None:
    shares = domain_xml.cpu_shares(vcpus, machine, wished)
    _exchange(root, "memoryBacking", processor.memory_backing(wished))
    _exchange(root, "features", [processor.features(wished, machine.virt_type)])
    _exchange(root, "cputune", [processor.tuning(wished, shares)])
    _exchange(root, "clock", [processor.clock(wished, machine.virt_type)])
    _exchange(root, "cpu", [processor.model(wished, machine.virt_type, machine.cpu)])


def _machine(root: Element, wished: Hardware) -> None:
    """Machine and firmware are the image's choice: of what a flavor can say here only the menu is changed."""
    for os in root.iterfind("os"):
        loader = os.find("loader")
        if wished.secure_boot != (loader is not None and loader.get("secure") == "yes"):
            raise hardware.Refused("Secure boot of a guest cannot be switched by a resize: its firmware stays.")
        _exchange(os, "bootmenu", [E.bootmenu(enable="yes")] if wished.boot_menu else [])


def _change_devices(devices: Element, wished: Hardware) -> None:
    _usb(devices, wished)
    for disk in devices.iterfind("disk"):
        _limit(disk, wished)
    for card in devices.iterfind("interface"):
        _put_attributes(card, "model", type=wished.vif_model)
        _exchange(card, "driver", extras.card_driver(wished))
        _exchange(card, "bandwidth", extras.bandwidth(wished))
    _exchange(devices, "serial[@type='pty']", [E.serial(type="pty") for _ in range(wished.serial_ports)])
    _exchange(devices, f"channel/target[@name='{extras.AGENT_CHANNEL}']/..", extras.guest_agent(wished))
    _exchange(devices, "input[@type='tablet']", extras.pointer(wished))
    _exchange(devices, "sound", extras.sound(wished))
    _exchange(devices, "video", extras.video(wished))
    _exchange(devices, "watchdog[@model='i6300esb']", extras.watchdog(wished))
    _exchange(devices, "rng", extras.rng(wished))


def _panic(root: Element) -> None:
    """Have the panics of a guest seen that was defined before they were."""
    _exchange(root, "on_crash", [domain_xml.after_panic()])
    _exchange(_devices(root), "panic", extras.panic())


def _usb(devices: Element, wished: Hardware) -> None:
    """Give the machine another USB controller where that was asked; the one that libvirt adds by itself is added again."""
    present = devices.findall("controller[@type='usb']")
    first = next((one for one in present if one.get("index") == "0"), None)
    asked = first is not None and first.get("model") in hardware.USB_MODELS
    if wished.usb_model == (first.get("model") if first is not None and asked else ""):
        return
    for one in present:
        devices.remove(one)
    devices.extend(extras.usb_controller(wished))


def _limit(disk: Element, wished: Hardware) -> None:
    """Bound how fast a disk is, and lay its ring out, as for a new one."""
    readonly, driver, target = disk.find("readonly") is not None, disk.find("driver"), disk.find("target")
    _exchange(disk, "iotune", [] if readonly else extras.disk_limits(wished))
    if driver is None or target is None or target.get("bus") != "virtio":
        return
    _without(driver, "packed")
    if wished.packed_ring:
        driver.set("packed", "on")


def _exchange(parent: Element, what: str, wanted: Iterable[Element]) -> None:
    """Put elements in the place of those that are there, more or fewer. A device of the same model stays where it is plugged in."""
    for old, new in zip_longest(parent.findall(what), wanted):
        if old is None:
            parent.append(new)
        elif new is None:
            parent.remove(old)
        else:
            if _model(old) == _model(new):
                new.extend(copy.deepcopy(old.findall("address")))
            parent.replace(old, new)


def _model(device: Element) -> str | None:
    model = device.find("model")
    return device.get("model") if model is None else model.get("type")


def _flavor(root: Element, size: GuestSize) -> None:
    flavor = root.find(f"metadata/{{{NOVA}}}instance/{{{NOVA}}}flavor")
    if flavor is None:
        return
    flavor.set("name", text(size.flavor_name))
    figures = {
        "memory": size.memory_mb,
        "disk": size.root_gb,
        "swap": size.swap_mb,
        "ephemeral": size.ephemeral_gb,
        "vcpus": size.vcpus,
    }
    for tag, value in figures.items():
        _put(flavor, f"{{{NOVA}}}{tag}", str(value))


def _add(root: Element, disk: Disk) -> None:
    """Plug a disk in that is like the first one, under the next free name."""
    first = next(root.iterfind("devices/disk"))
    element = copy.deepcopy(first)
    for child in [child for child in element if child.tag in _OF_ONE_DISK]:
        element.remove(child)
    _put_attributes(element, "driver", type=disk.format)
    _put_attributes(element, "source", file=str(disk.path))
    for source in element.iterfind("source"):
        _without(source, "index")
    _put_attributes(element, "target", dev=_free_name(root, element))
    last = list(root.iterfind("devices/disk"))[-1]
    last.addnext(element)


def _put_attributes(element: Element, tag: str, **attributes: str) -> None:
    found = element.find(tag)
    if found is not None:
        _set(found, attributes)


def _set(element: Element, attributes: Mapping[str, str]) -> None:
    for name, value in attributes.items():
        element.set(name, value)


def _without(element: Element, name: str) -> None:
    if name in element.attrib:
        del element.attrib[name]


def _free_name(root: Element, disk: Element) -> str:
    prefix = next(disk.iterfind("target")).get("dev", "vda")[:-1]
    taken = {target.get("dev") for target in root.iterfind("devices/disk/target")}
    return next(name for name in (f"{prefix}{letter}" for letter in "bcdefghijklmnopqrstuvwxyz") if name not in taken)


def _devices(root: Element) -> Element:
    return next(root.iterfind("devices"))
