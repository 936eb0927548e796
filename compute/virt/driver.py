"""What a hypervisor driver is given and what it must do.

Plain data and one protocol: ``fake`` and ``libvirt`` fulfil it, and one class of contract tests runs on both.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from compute.states import PowerState, TaskState
from compute.virt.diagnostics import Diagnostics


@dataclass(frozen=True)
class ImageRef:
    """An image and where to fetch it; the address is signed and soon ends.

    ``size`` is in bytes, ``hash_value`` the hexadecimal digest by ``hash_algo``.
    """

    id: str
    url: str
    size: int
    hash_algo: str
    hash_value: str
    disk_format: str
    container_format: str


@dataclass(frozen=True)
class NetworkSpec:
    """A NAT network that a host makes when the first guest needs it."""

    id: str
    name: str
    bridge: str
    cidr: str
    gateway_ip: str
    dhcp_start: str
    dhcp_end: str
    mtu: int = 1500


@dataclass(frozen=True)
class InterfaceSpec:
    """One network card: its port, hardware address and fixed addresses."""

    port_id: str
    mac: str
    addresses: list[str]
    network: NetworkSpec


@dataclass(frozen=True)
class GuestSpec:
    """All that a host needs to build a guest. Sizes carry their unit in the name.

    ``meta_data`` is the document of the config drive's ``openstack/latest/meta_data.json``; ``user_data`` is base64, and so are
    ``files``: what lies in its ``openstack/content``, by the names that ``meta_data`` gives them.
    """

    server_id: str
    domain_name: str
    name: str
    created_at: str
    vcpus: int
    memory_mb: int
    root_gb: int
    ephemeral_gb: int
    swap_mb: int
    flavor_name: str
    user_id: str
    user_name: str
    project_id: str
    project_name: str
    image: ImageRef
    kernel: ImageRef | None = None
    ramdisk: ImageRef | None = None
    kernel_args: str = ""
    interfaces: list[InterfaceSpec] = field(default_factory=list)
    config_drive: bool = True
    meta_data: dict[str, object] = field(default_factory=dict)
    network_data: dict[str, object] = field(default_factory=dict)
    vendor_data: dict[str, object] = field(default_factory=dict)
    ec2_data: dict[str, object] = field(default_factory=dict)
    user_data: str | None = None
    files: dict[str, str] = field(default_factory=dict)
    image_properties: dict[str, str] = field(default_factory=dict)
    extra_specs: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HostFacts:
    """What a host has. ``hypervisor_version`` is libvirt's number (major * 1000000 + minor * 1000 + micro)."""

    hypervisor_type: str
    hypervisor_version: int
    vcpus: int
    memory_mb: int
    memory_mb_used: int
    disk_gb: int
    disk_gb_free: int
    cpu_arch: str
    cpu_model: str
    cpu_features: list[str]
    kvm: bool
    address: str
    vcpus_used: int = 0


@dataclass(frozen=True)
class BuildProgress:
    """One step of a build, told as it happens; bytes only where they are known."""

    stage: TaskState
    detail: str = ""
    bytes_done: int | None = None
    bytes_total: int | None = None


@dataclass(frozen=True)
class Built:
    """What a finished build leaves to be shown: the domain definition."""

    definition: str
    power_state: PowerState


@dataclass(frozen=True)
class Display:
    """Where a guest's display listens on its own host: a Unix socket or a loopback port."""

    kind: str
    socket: str | None = None
    port: int | None = None


@dataclass(frozen=True)
class Card:
    """Whose network card it is."""

    server_id: str
    port_id: str


class ImageCache(Protocol):
    """Gives a local file for an image, fetching it at most once."""

    def fetch(self, image: ImageRef, tell: Callable[[BuildProgress], None]) -> Path:
        """Return the path of the image under ``_base``, a raw file; raises ImageUnavailable.

        ``tell`` is called often and may raise: that ends the fetch.
        """
        ...


Tell = Callable[[BuildProgress], None]
Cancelled = Callable[[], bool]


def never() -> bool:
    """Return False: nobody gives up on this operation."""
    return False


class Driver(Protocol):
    """One hypervisor host. Every method may be called twice with the same result.

    Raises compute.virt.errors.DriverError with a sentence for people; GuestNotFound for a guest that is not there.
    """

    def facts(self) -> HostFacts: ...

    def guests(self) -> dict[str, PowerState]:
        """Return the power state of every guest of this installation, by server id."""
        ...

    def spawn(self, spec: GuestSpec, images: ImageCache, tell: Tell, cancelled: Cancelled) -> Built:
        """Build and start a guest; on any failure nothing of it is left behind."""
        ...

    def destroy(self, server_id: str) -> None:
        """Remove a guest with its disks, leases and folder; one that is not there is a success."""
        ...

    def power_on(self, server_id: str) -> None: ...

    def power_off(self, server_id: str, grace_s: int, cancelled: Cancelled = never) -> None:
        """Ask the guest to shut down, and pull the plug after ``grace_s`` seconds (0: at once) or once ``cancelled``."""
        ...

    def reboot(self, server_id: str, hard: bool, cancelled: Cancelled = never) -> None:
        """Restart the guest; a soft reboot that the guest does not follow becomes a hard one."""
        ...

    def bases(self) -> list[Path]:
        """Return the cached file under each disk that lies on one, guest by guest: these must stay."""
        ...

    def display(self, server_id: str, kind: str) -> Display:
        """Return where the guest's ``vnc`` display listens; raises GuestNotRunning."""
        ...

    def console_log(self, server_id: str) -> Path:
        """Return the file that the guest's first serial port is written to."""
        ...

    def definition(self, server_id: str) -> str:
        """Return the live domain XML."""
        ...

    def bridges(self) -> set[str]:
        """Return the bridges of this host into which guests of this installation are plugged."""
        ...

    def card_at(self, bridge: str, address: str) -> Card | None:
        """Return whose card has this address on this bridge now; None for a stranger's."""
        ...

    def diagnostics(self, server_id: str) -> Diagnostics:
        """Return the counters of a guest, asked of the hypervisor now; raises GuestNotRunning."""
        ...

    def watch(self, changed: Callable[[str, PowerState], None]) -> None:
        """Call ``changed(server_id, power_state)`` from a thread at each change, also those we cause. Returns at once."""
        ...
