"""Commands that copy, replace or put aside a guest's disks; ``compute.messages`` knows them all."""

from dataclasses import dataclass
from typing import ClassVar

from compute.ordered import Ordered
from compute.states import Action
from compute.virt.driver import GuestSpec, Quiesce, RescueSpec


@dataclass(frozen=True)
class CopyDisk(Ordered):
    """Copy a guest's root disk and send the copy to an image, for any of three actions.

    ``address`` takes the bytes, in pieces if ``in_pieces``. With ``stop_s`` the guest is shut down first, by force after so many
    seconds, and stays off.
    """

    action: Action
    server_id: str
    request_id: str
    image_id: str
    address: str
    in_pieces: bool
    quiesce: Quiesce = Quiesce.NO
    stop_s: int | None = None


@dataclass(frozen=True)
class Rebuild(Ordered):
    """Give a guest new disks and a new definition; ``start`` it afterwards or leave it off."""

    action: ClassVar = Action.REBUILD
    server_id: str
    request_id: str
    guest: GuestSpec
    start: bool = True
    preserve_ephemeral: bool = False


@dataclass(frozen=True)
class Rescue(Ordered):
    """Start a guest from another disk, its own beside it."""

    action: ClassVar = Action.RESCUE
    server_id: str
    request_id: str
    rescue: RescueSpec


@dataclass(frozen=True)
class Unrescue(Ordered):
    """Start a rescued guest from its own disk again."""

    action: ClassVar = Action.UNRESCUE
    server_id: str
    request_id: str


@dataclass(frozen=True)
class Offload(Ordered):
    """Remove a guest whose server lives on without a host."""

    action: ClassVar = Action.SHELVE_OFFLOAD
    server_id: str
    request_id: str


@dataclass(frozen=True)
class Unshelve(Ordered):
    """Start a shelved guest again; ``guest`` builds it anew where its host has nothing of it any more."""

    action: ClassVar = Action.UNSHELVE
    server_id: str
    request_id: str
    guest: GuestSpec | None = None


CopyCommand = CopyDisk | Rebuild | Rescue | Unrescue | Offload | Unshelve

COPY_ACTORS: dict[type, str] = {
    CopyDisk: "compute.copy_disk",
    Rebuild: "compute.rebuild",
    Rescue: "compute.rescue",
    Unrescue: "compute.unrescue",
    Offload: "compute.offload",
    Unshelve: "compute.unshelve",
}
