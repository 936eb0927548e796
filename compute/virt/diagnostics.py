"""The counters that a hypervisor keeps of a running guest: plain data."""

from dataclasses import dataclass, field

from compute.states import PowerState


@dataclass(frozen=True)
class Cpu:
    """One virtual processor; ``time_ns`` is how long it ran."""

    number: int
    time_ns: int


@dataclass(frozen=True)
class Disk:
    """One disk by the name that the guest gives it, with what was read and written since it started."""

    device: str
    read_bytes: int
    read_requests: int
    write_bytes: int
    write_requests: int
    errors: int


@dataclass(frozen=True)
class Nic:
    """One network card; ``device`` is its end on the host. ``rx`` is what the guest received."""

    mac: str
    device: str
    rx_bytes: int
    rx_packets: int
    rx_errors: int
    rx_drop: int
    tx_bytes: int
    tx_packets: int
    tx_errors: int
    tx_drop: int


@dataclass(frozen=True)
class Diagnostics:
    """All of them. ``memory_kib`` holds what the guest and the hypervisor say of memory, by libvirt's names."""

    power_state: PowerState
    hypervisor: str
    memory_max_kib: int
    memory_used_kib: int
    cpus: list[Cpu] = field(default_factory=list)
    disks: list[Disk] = field(default_factory=list)
    nics: list[Nic] = field(default_factory=list)
    memory_kib: dict[str, int] = field(default_factory=dict)
