"""Commands about network cards and filters, and what a host tells of them. They belong to ``compute.messages``.

They take no server into a task: a card has its own pending work, in its port's row.
"""

from dataclasses import dataclass, field

from compute.virt.driver import InterfaceSpec, Wishes
from compute.virt.filtering import GroupSpec, PortFilter


@dataclass(frozen=True)
class AttachInterface:
    """Plug a card into a guest, of the kind that it follows from its ``wishes``; one that is there is brought up to date."""

    server_id: str
    request_id: str
    interface: InterfaceSpec
    groups: list[GroupSpec] = field(default_factory=list)
    wishes: Wishes = field(default_factory=Wishes)


@dataclass(frozen=True)
class DetachInterface:
    """Take a card out of a guest; one that is not there is a success."""

    server_id: str
    request_id: str
    port_id: str


@dataclass(frozen=True)
class SetFilters:
    """Filter these ports, by these groups, from now on. What is not named stays as it is."""

    request_id: str
    ports: list[PortFilter]
    groups: list[GroupSpec]


@dataclass(frozen=True)
class InterfaceChanged:
    """A card was plugged in or taken out; ``fault`` is None or a sentence for people."""

    host: str
    server_id: str
    request_id: str
    port_id: str
    attached: bool
    fault: str | None = None


@dataclass(frozen=True)
class FiltersWanted:
    """A host came up and asks for all its filters."""

    host: str
    at: float


PortCommand = AttachInterface | DetachInterface | SetFilters
PortReport = InterfaceChanged | FiltersWanted

PORT_COMMANDS: dict[type, str] = {
    AttachInterface: "compute.attach_interface",
    DetachInterface: "compute.detach_interface",
    SetFilters: "compute.set_filters",
}
PORT_REPORTS: dict[type, str] = {
    InterfaceChanged: "conductor.interface_changed",
    FiltersWanted: "conductor.filters_wanted",
}
