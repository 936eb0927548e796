"""The counters of a pretended guest: its devices are those of its definition, and each did one thing."""

from compute.states import PowerState
from compute.virt.diagnostics import Cpu, Diagnostics, Disk, Nic
from compute.virt.libvirt.markup import Element, read

_SECOND_NS = 1_000_000_000
_BLOCK = 512


def of(definition: str, vcpus: int, memory_mb: int) -> Diagnostics:
    """Return the counters of a guest that runs."""
    devices = read(definition)
    return Diagnostics(
        power_state=PowerState.RUNNING,
        hypervisor="fake",
        memory_max_kib=memory_mb * 1024,
        memory_used_kib=memory_mb * 1024,
        cpus=[Cpu(number, _SECOND_NS) for number in range(vcpus)],
        disks=[Disk(_attribute(disk, "target", "dev"), _BLOCK, 1, _BLOCK, 1, 0) for disk in devices.iterfind("devices/disk")],
        nics=[
            Nic(_attribute(nic, "mac", "address"), f"tap{at}", 64, 1, 0, 0, 64, 1, 0, 0)
            for at, nic in enumerate(devices.iterfind("devices/interface"))
        ],
        memory_kib={"actual": memory_mb * 1024},
    )


def _attribute(device: Element, child: str, name: str) -> str:
    found = device.find(child)
    return "" if found is None else found.get(name, "")
