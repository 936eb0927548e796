"""The counters of one domain (libvirt: html/libvirt-libvirt-domain.html#virDomainBlockStats and its neighbours).

A hypervisor that keeps no such counter says so by an error; the guest is then told of without it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import libvirt

from compute.states import PowerState
from compute.virt.diagnostics import Cpu, Diagnostics, Disk, Nic
from compute.virt.libvirt.connection import STATES
from compute.virt.libvirt.markup import Element, read

_NOT_KEPT = (libvirt.VIR_ERR_NO_SUPPORT, libvirt.VIR_ERR_OPERATION_UNSUPPORTED, libvirt.VIR_ERR_INVALID_ARG)


def of(domain: libvirt.virDomain, hypervisor: str) -> Diagnostics:
    """Return the counters of a running domain; raises libvirtError."""
    devices = read(domain.XMLDesc()).find("devices")
    state, memory_max, memory_used, _cpus, _time = domain.info()
    return Diagnostics(
        power_state=STATES.get(state, PowerState.NOSTATE),
        hypervisor=hypervisor,
        memory_max_kib=memory_max,
        memory_used_kib=memory_used,
        cpus=list(_cpus_of(domain)),
        disks=[] if devices is None else list(_each(devices, "disk", _disk, domain)),
        nics=[] if devices is None else list(_each(devices, "interface", _nic, domain)),
        memory_kib=_memory(domain),
    )


@contextmanager
def _if_kept() -> Iterator[None]:
    try:
        yield
    except libvirt.libvirtError as error:
        if error.get_error_code() not in _NOT_KEPT:
            raise


def _cpus_of(domain: libvirt.virDomain) -> Iterator[Cpu]:
    with _if_kept():
        for number, _state, time_ns, _where in domain.vcpus()[0]:
            yield Cpu(number, time_ns)


def _memory(domain: libvirt.virDomain) -> dict[str, int]:
    with _if_kept():
        return {str(name): int(value) for name, value in domain.memoryStats().items()}
    return {}


def _each(
    devices: Element, tag: str, counters: Callable[[libvirt.virDomain, Element, str], Any], domain: Any
) -> Iterator[Any]:
    for device in devices.iterfind(tag):
        target = device.find("target")
        name = None if target is None else target.get("dev")
        if name:
            with _if_kept():
                yield counters(domain, device, name)


def _disk(domain: libvirt.virDomain, _device: Element, name: str) -> Disk:
    read_requests, read_bytes, write_requests, write_bytes, errors = domain.blockStats(name)
    return Disk(name, read_bytes, read_requests, write_bytes, write_requests, max(errors, 0))


def _nic(domain: libvirt.virDomain, device: Element, name: str) -> Nic:
    """The order of libvirt's figures is that of ``Nic``: bytes, packets, errors, drops; received, then sent."""
    mac = device.find("mac")
    return Nic(
        "" if mac is None else mac.get("address", ""), name, *(max(figure, 0) for figure in domain.interfaceStats(name))
    )
