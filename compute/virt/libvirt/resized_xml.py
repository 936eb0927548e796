"""The definition of a guest after a resize: the one it had, changed where its size shows.

It is not built anew, since that would need the image, which may be gone by now.
"""

import copy
from collections.abc import Mapping
from pathlib import Path

from compute.virt.driver import GuestSize
from compute.virt.layout import Disk
from compute.virt.libvirt.domain_xml import NOVA
from compute.virt.libvirt.markup import Element, read, render, text

_OF_ONE_DISK = ("address", "alias", "backingStore", "boot", "serial", "wwn", "readonly")


def resized(definition: str, size: GuestSize, shares: int, added: list[Disk], removed: list[Path]) -> str:
    """Return the definition with another number of vCPUs, other memory and these disks more and less; ``shares`` is its CPU weight."""
    root = read(definition)
    for tag in ("memory", "currentMemory"):
        _put(root, tag, str(size.memory_mb * 1024), unit="KiB")
    for vcpu in root.iterfind("vcpu"):
        vcpu.text = str(size.vcpus)
        _without(vcpu, "current")
    _put(root, "cputune/shares", str(shares))
    _topology(root, size.vcpus)
    _flavor(root, size)
    for path in removed:
        element = disk_of(root, path)
        if element is not None:
            _devices(root).remove(element)
    for disk in added:
        if disk_of(root, disk.path) is None:
            _add(root, disk)
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


def _topology(root: Element, vcpus: int) -> None:
    """Keep cores and threads where the number of vCPUs can be made of them, else give each vCPU a socket."""
    topology = root.find("cpu/topology")
    if topology is None:
        return
    each = int(topology.get("cores", "1")) * int(topology.get("threads", "1"))
    if vcpus % each:
        each = 1
        _set(topology, {"cores": "1", "threads": "1"})
    topology.set("sockets", str(vcpus // each))


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
