"""What a hypervisor driver is given and what it must do.

Plain data and one protocol: ``fake`` and ``libvirt`` fulfil it, and one class of contract tests runs on both.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from compute.states import PowerState, TaskState
from compute.virt.diagnostics import Diagnostics
from compute.virt.filtering import GroupSpec, PortFilter


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
    """A network that a host makes when the first guest needs it; ``nat`` says whether it has a way out.

    With ``leases`` guests learn their addresses by DHCP; ``dhcp`` are lines for guests beside their address (dnsmasq's ``dhcp-option``), such as name servers and routes.
    """

    id: str
    name: str
    bridge: str
    cidr: str
    gateway_ip: str
    dhcp_start: str
    dhcp_end: str
    mtu: int = 1500
    nat: bool = True
    leases: bool = True
    dhcp: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class InterfaceSpec:
    """One network card: its port, hardware address and fixed addresses. ``tag`` is a word by which the guest can find it."""

    port_id: str
    mac: str
    addresses: list[str]
    network: NetworkSpec
    filter: PortFilter | None = None
    tag: str | None = None


@dataclass(frozen=True)
class Wishes:
    """What a guest's hardware follows from: a flavor's vCPUs and extra specs, an image's properties."""

    vcpus: int = 1
    extra_specs: dict[str, str] = field(default_factory=dict)
    image_properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class GuestSpec:
    """All that a host needs to build a guest. Sizes carry their unit in the name.

    ``meta_data`` is the document of the config drive's ``openstack/latest/meta_data.json``; ``user_data`` is base64, and so are
    ``files``: what lies in its ``openstack/content``, by the names that ``meta_data`` gives them. ``admin_pass`` is sealed until
    the host opens it.
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
    groups: list[GroupSpec] = field(default_factory=list)
    config_drive: bool = True
    meta_data: dict[str, object] = field(default_factory=dict)
    network_data: dict[str, object] = field(default_factory=dict)
    vendor_data: dict[str, object] = field(default_factory=dict)
    ec2_data: dict[str, object] = field(default_factory=dict)
    user_data: str | None = None
    files: dict[str, str] = field(default_factory=dict)
    image_properties: dict[str, str] = field(default_factory=dict)
    extra_specs: dict[str, str] = field(default_factory=dict)
    admin_pass: str = field(default="", repr=False)


class Quiesce(StrEnum):
    """Whether a guest's agent is asked to write out and hold its file systems at the moment of a copy."""

    NO = "no"
    IF_POSSIBLE = "if-possible"
    REQUIRED = "required"


RESCUE_DEVICES = frozenset({"disk", "cdrom"})
RESCUE_BUSES = frozenset({"virtio", "scsi", "usb", "ide", "sata"})


@dataclass(frozen=True)
class RescueSpec:
    """From what a guest is rescued.

    With ``stable`` the guest's own disks keep their places and the rescue disk comes last, as a ``device`` on a ``bus``; else it
    takes the first place and the others move on by one. The guest finds ``admin_pass`` on its config drive while it is rescued.
    """

    image: ImageRef
    kernel: ImageRef | None = None
    ramdisk: ImageRef | None = None
    kernel_args: str = ""
    stable: bool = False
    device: str = "disk"
    bus: str = "virtio"
    admin_pass: str = field(default="", repr=False)


@dataclass(frozen=True)
class GuestSize:
    """What a resize gives a guest: the figures of a flavor, and what its hardware follows from. ``root_gb`` 0 leaves the root disk as it is."""

    vcpus: int
    memory_mb: int
    root_gb: int
    ephemeral_gb: int
    swap_mb: int
    flavor_name: str
    extra_specs: dict[str, str] = field(default_factory=dict)
    image_properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HostFacts:
    """What a host has. ``hypervisor_version`` is libvirt's number (major * 1000000 + minor * 1000 + micro).

    ``foreign_guests`` are those of somebody else on the same hypervisor, which are left alone.
    """

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
    foreign_guests: int = 0


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
    """Where a guest's display (``vnc``) or first serial port (``serial``) listens on its own host: a Unix socket or a loopback port."""

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


PLAIN = Wishes()
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

    def attach_interface(
        self, server_id: str, interface: InterfaceSpec, groups: list[GroupSpec], wishes: Wishes = PLAIN
    ) -> None:
        """Plug a card into the guest, running or not; one that is there gets the addresses and filters that are named.

        A new one is of the kind that the guest's cards are by these ``wishes``. On any failure nothing of a new card is left behind.
        """
        ...

    def detach_interface(self, server_id: str, port_id: str) -> None:
        """Take a card out of the guest and give back what it held; one that is not there is a success."""
        ...

    def set_filters(self, ports: list[PortFilter], groups: list[GroupSpec]) -> None:
        """Filter the ports that are here by these groups from now on; older revisions than are known change nothing."""
        ...

    def copy_disk(self, server_id: str, target: Path, quiesce: Quiesce, tell: Tell, cancelled: Cancelled) -> None:
        """Write the root disk as it is at one moment into a new qcow2 file that needs no other; there is a file only when it is whole.

        A guest that runs goes on running.
        """
        ...

    def rebuild(
        self, spec: GuestSpec, images: ImageCache, tell: Tell, cancelled: Cancelled, *, start: bool, preserve_ephemeral: bool
    ) -> Built:
        """Give a guest new disks and a new definition; nothing is touched before the images are there. Also one that is gone."""
        ...

    def rescue(self, server_id: str, rescue: RescueSpec, images: ImageCache, tell: Tell) -> Built:
        """Start a guest from another disk with its own beside it; after a failure it is defined as before."""
        ...

    def unrescue(self, server_id: str) -> Built:
        """Start a guest as it was before its rescue; one that is not being rescued only runs."""
        ...

    def pause(self, server_id: str) -> None:
        """Stop the guest's clock; one that is paused is a success. Raises GuestNotRunning, as do ``unpause`` and ``suspend``."""
        ...

    def unpause(self, server_id: str) -> None:
        """Let a paused guest go on; one that runs is a success."""
        ...

    def suspend(self, server_id: str) -> None:
        """Write the guest's memory to disk and switch it off: its power state is SUSPENDED until it is resumed or started."""
        ...

    def resume(self, server_id: str) -> None:
        """Go on where ``suspend`` ended; one that runs is a success."""
        ...

    def resize(self, server_id: str, size: GuestSize, token: str, grace_s: int, cancelled: Cancelled = never) -> None:
        """Shut the guest down, give it another size and, if it ran, start it. On any failure it is as it was.

        What is needed to go back stays until ``confirm_resize`` or ``revert_resize``. ``token`` names this resize: with the same
        one it is done once.
        """
        ...

    def confirm_resize(self, server_id: str, token: str) -> None:
        """Throw away what would undo this resize; when there is none or another, nothing is done."""
        ...

    def revert_resize(self, server_id: str, token: str) -> None:
        """Make the guest what it was before this resize, also running if it ran; when there is none or another, nothing is done."""
        ...

    def set_password(self, server_id: str, user: str, password: str) -> None:
        """Have the guest's agent set a password; raises DriverError when there is none or it does not answer."""
        ...

    def crash_dump(self, server_id: str) -> None:
        """Send the guest a non-maskable interrupt, on which its system dumps its memory if it is set up so."""
        ...

    def bases(self) -> list[Path]:
        """Return the cached file under each disk that lies on one, guest by guest: these must stay."""
        ...

    def display(self, server_id: str, kind: str) -> Display:
        """Return where the guest's ``vnc`` display or ``serial`` port listens; raises GuestNotRunning."""
        ...

    def console_log(self, server_id: str) -> Path:
        """Return the file that the guest's first serial port is written to."""
        ...

    def definition(self, server_id: str) -> str:
        """Return the live domain XML."""
        ...

    def diagnostics(self, server_id: str) -> Diagnostics:
        """Return the counters of a guest, asked of the hypervisor now; raises GuestNotRunning."""
        ...

    def bridges(self) -> set[str]:
        """Return the bridges of this host into which guests of this installation are plugged."""
        ...

    def card_at(self, bridge: str, address: str) -> Card | None:
        """Return whose card has this address on this bridge now; None for a stranger's."""
        ...

    def watch(self, changed: Callable[[str, PowerState], None], missed: Callable[[], None] | None = None) -> None:
        """Call ``changed(server_id, power_state)`` from a thread at each change, also those we cause. Returns at once.

        ``missed`` is called when the hypervisor is reached again after it was not: who wants to know what changed has to look.
        """
        ...
