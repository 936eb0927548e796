"""Commands to a host and reports from it: plain data, sent as signed JSON.

Commands go to queue ``compute.<host>``, reports to queue ``conductor``. Delivery is at least once and in any order: a command is
harmless the second time, and a report carries the ``request_id`` of the operation it closes, so that a stale one is ignored.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

import msgspec

from compute.states import Action, PowerState, TaskState
from compute.virt.driver import GuestSpec, HostFacts, ImageRef

M = TypeVar("M")


@dataclass(frozen=True)
class Spawn:
    """Build and start a guest."""

    server_id: str
    request_id: str
    guest: GuestSpec


@dataclass(frozen=True)
class Destroy:
    """Remove a guest and all that belongs to it."""

    server_id: str
    request_id: str


@dataclass(frozen=True)
class PowerOn:
    """Start a guest that is off."""

    server_id: str
    request_id: str


@dataclass(frozen=True)
class PowerOff:
    """Shut a guest down, by force after ``grace_s`` seconds."""

    server_id: str
    request_id: str
    grace_s: int


@dataclass(frozen=True)
class Reboot:
    """Restart a guest; ``hard`` pulls the plug."""

    server_id: str
    request_id: str
    hard: bool


@dataclass(frozen=True)
class FetchImage:
    """Bring an image into the host's cache before a server wants it."""

    image: ImageRef
    request_id: str


@dataclass(frozen=True)
class EvictImage:
    """Remove an image from the host's cache unless a disk lies on it; ``cancels`` is the request whose fetch of it is to end."""

    image_id: str
    request_id: str
    cancels: str = ""


GuestCommand = Spawn | Destroy | PowerOn | PowerOff | Reboot
ImageCommand = FetchImage | EvictImage
Command = GuestCommand | ImageCommand

COMMAND_ACTORS: dict[type, str] = {
    Spawn: "compute.spawn",
    Destroy: "compute.destroy",
    PowerOn: "compute.power_on",
    PowerOff: "compute.power_off",
    Reboot: "compute.reboot",
    FetchImage: "compute.fetch_image",
    EvictImage: "compute.evict_image",
}


@dataclass(frozen=True)
class BuildPhase:
    """A build reached a stage, or moved on within it. ``at`` is seconds since the epoch."""

    host: str
    server_id: str
    request_id: str
    stage: TaskState
    at: float
    detail: str = ""
    bytes_done: int | None = None
    bytes_total: int | None = None


@dataclass(frozen=True)
class OperationFinished:
    """An operation ended; ``fault`` is None or a sentence for people.

    ``timings`` are seconds per phase; ``definition`` is the domain XML after a build.
    """

    host: str
    server_id: str
    request_id: str
    action: Action
    fault: str | None
    power_state: PowerState
    definition: str | None = None
    timings: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class HeldImage:
    """An image in a host's cache. ``bytes`` is what removing it would free, ``disks`` how many files of guests lie on it."""

    image_id: str
    bytes: int
    disks: int
    fetched_at: float
    used_at: float


@dataclass(frozen=True)
class ImageNotFetched:
    """An image that was asked for could not be brought; ``fault`` is a sentence for people."""

    host: str
    image_id: str
    request_id: str
    fault: str


@dataclass(frozen=True)
class HostReport:
    """What a host is, has and runs; sent at start and every few seconds. ``relay`` is where its console relay listens.

    ``images`` is None when the host cannot tell now what its cache holds.
    """

    host: str
    at: float
    version: str
    facts: HostFacts
    guests: dict[str, PowerState]
    relay: str
    images: list[HeldImage] | None = None


@dataclass(frozen=True)
class GuestChanged:
    """A guest changed by itself: it shut down, crashed or was started from outside."""

    host: str
    server_id: str
    power_state: PowerState
    at: float


Report = BuildPhase | OperationFinished | HostReport | GuestChanged | ImageNotFetched

REPORT_ACTORS: dict[type, str] = {
    BuildPhase: "conductor.build_phase",
    OperationFinished: "conductor.operation_finished",
    HostReport: "conductor.host_report",
    GuestChanged: "conductor.guest_changed",
    ImageNotFetched: "conductor.image_not_fetched",
}

DIAGNOSTICS = "diagnostics"
QUESTION_SEAL, ANSWER_SEAL = "question", "answer"
QUESTION_LIFE_S = 10


@dataclass(frozen=True)
class Question:
    """Asked of a host by somebody who waits: answered at once, or never. ``about`` says what is asked of the server."""

    about: str
    server_id: str
    nonce: str


@dataclass(frozen=True)
class Answer:
    """What a host said: ``found``, or a sentence why not."""

    found: dict[str, Any] | None = None
    fault: str | None = None


def question_channel(host: str) -> str:
    """Return the channel on which a host hears questions."""
    return f"nebulet:questions:{host}"


def answer_key(nonce: str) -> str:
    """Return where the answer to a question is put, as one sealed entry of a list."""
    return f"nebulet:answer:{nonce}"


CONDUCTOR_QUEUE = "conductor"


def host_queue(host: str) -> str:
    """Return the name of the queue on which a host takes its commands."""
    return f"compute.{host}"


def pack(message: Command | Report) -> dict[str, Any]:
    """Return the message as the keyword arguments of its actor."""
    return asdict(message)


def unpack(kind: type[M], payload: dict[str, Any]) -> M:
    """Return the message that ``pack`` made; raises msgspec.ValidationError on anything else."""
    return msgspec.convert(payload, kind)
