"""Commands to a host and reports from it: plain data, sent as signed JSON.

Commands go to queue ``compute.<host>``, reports to queue ``conductor``. Delivery is at least once and in any order: a command is
harmless the second time, and a report carries the ``request_id`` of the operation it closes, so that a stale one is ignored. A
command whose server was told something later does nothing any more (``compute.ordered``).
"""

from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, TypeVar

import msgspec

from compute.copy_messages import COPY_ACTORS, CopyCommand
from compute.ordered import Ordered
from compute.port_messages import PORT_COMMANDS, PORT_REPORTS, PortCommand, PortReport
from compute.states import Action, PowerState, TaskState
from compute.virt.driver import GuestSize, GuestSpec, HostFacts, ImageRef

M = TypeVar("M")


@dataclass(frozen=True)
class Spawn(Ordered):
    """Build and start a guest."""

    action: ClassVar = Action.CREATE
    server_id: str
    request_id: str
    guest: GuestSpec


@dataclass(frozen=True)
class Destroy(Ordered):
    """Remove a guest and all that belongs to it."""

    action: ClassVar = Action.DELETE
    server_id: str
    request_id: str


@dataclass(frozen=True)
class PowerOn(Ordered):
    """Start a guest that is off; ``as_it_is`` from the disk that it ran from last, also while it is rescued."""

    action: ClassVar = Action.START
    server_id: str
    request_id: str
    as_it_is: bool = False


@dataclass(frozen=True)
class PowerOff(Ordered):
    """Shut a guest down, by force after ``grace_s`` seconds."""

    action: ClassVar = Action.STOP
    server_id: str
    request_id: str
    grace_s: int


@dataclass(frozen=True)
class Reboot(Ordered):
    """Restart a guest; ``hard`` pulls the plug."""

    server_id: str
    request_id: str
    hard: bool

    @property
    def action(self) -> Action:
        """Which of the two restarts it is."""
        return Action.REBOOT_HARD if self.hard else Action.REBOOT


@dataclass(frozen=True)
class Change(Ordered):
    """Carry out an action that needs to know nothing but the guest: pause, unpause, suspend, resume and their like."""

    server_id: str
    request_id: str
    action: Action


@dataclass(frozen=True)
class Resize(Ordered):
    """Give a guest another size, keeping what is needed to go back. ``token`` names this resize for as long as it is known."""

    action: ClassVar = Action.RESIZE
    server_id: str
    request_id: str
    size: GuestSize
    grace_s: int
    token: str


@dataclass(frozen=True)
class EndResize(Ordered):
    """Confirm or revert the resize that ``token`` names, also one that comes later than this; any other is left as it is.

    One that nobody asked for has no order, since it is never too late; ``since`` is then the last order that the server had.
    """

    server_id: str
    request_id: str
    action: Action
    token: str
    since: int = 0


@dataclass(frozen=True)
class CrashDump(Ordered):
    """Send a guest the interrupt on which it dumps its memory."""

    action: ClassVar = Action.TRIGGER_CRASH_DUMP
    server_id: str
    request_id: str


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


GuestCommand = Spawn | Destroy | PowerOn | PowerOff | Reboot | Change | Resize | EndResize | CrashDump | CopyCommand
ImageCommand = FetchImage | EvictImage
Command = GuestCommand | ImageCommand | PortCommand

COMMAND_ACTORS: dict[type, str] = {
    Spawn: "compute.spawn",
    Destroy: "compute.destroy",
    PowerOn: "compute.power_on",
    PowerOff: "compute.power_off",
    Reboot: "compute.reboot",
    Change: "compute.change",
    Resize: "compute.resize",
    EndResize: "compute.end_resize",
    CrashDump: "compute.crash_dump",
    FetchImage: "compute.fetch_image",
    EvictImage: "compute.evict_image",
    **PORT_COMMANDS,
    **COPY_ACTORS,
}


@dataclass(frozen=True)
class BuildPhase:
    """A build, or another operation that takes its time, reached a stage or moved on within it. ``at`` is seconds since the epoch."""

    host: str
    server_id: str
    request_id: str
    stage: TaskState
    at: float
    detail: str = ""
    bytes_done: int | None = None
    bytes_total: int | None = None


UNTOUCHED = "untouched"


@dataclass(frozen=True)
class OperationFinished:
    """An operation ended; ``fault`` is None or a sentence for people.

    ``timings`` are seconds per phase; ``definition`` is the domain XML after a build; ``facts`` is what else the host learned, such as
    that a rebuild was dropped before it began (``UNTOUCHED``).
    ``at`` is the host's time, as its other reports tell it; None from one that does not say.
    """

    host: str
    server_id: str
    request_id: str
    action: Action
    fault: str | None
    power_state: PowerState
    definition: str | None = None
    timings: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    at: float | None = None


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

    ``images`` is None when the host cannot tell now what its cache holds. ``uptime`` is what the machine's command of that name says.
    ``boot_id`` is another one after each start of the machine, ``worker_id`` after each start of the worker; of one worker, a later
    report has a greater ``at``. ``resumes`` says that guests which ran before the machine's start are to run again.
    """

    host: str
    at: float
    version: str
    facts: HostFacts
    guests: dict[str, PowerState]
    relay: str
    images: list[HeldImage] | None = None
    uptime: str = ""
    boot_id: str = ""
    resumes: bool = False
    worker_id: str = ""


@dataclass(frozen=True)
class GuestChanged:
    """A guest changed by itself: it shut down, crashed or was started from outside."""

    host: str
    server_id: str
    power_state: PowerState
    at: float


Report = BuildPhase | OperationFinished | HostReport | GuestChanged | ImageNotFetched | PortReport

REPORT_ACTORS: dict[type, str] = {
    BuildPhase: "conductor.build_phase",
    OperationFinished: "conductor.operation_finished",
    HostReport: "conductor.host_report",
    GuestChanged: "conductor.guest_changed",
    ImageNotFetched: "conductor.image_not_fetched",
    **PORT_REPORTS,
}

DIAGNOSTICS = "diagnostics"
SET_PASSWORD = "set_password"  # noqa: S105  a question's name
QUESTION_SEAL, ANSWER_SEAL = "question", "answer"
QUESTION_LIFE_S = 10


@dataclass(frozen=True)
class Question:
    """Asked of a host by somebody who waits: answered at once, or never. ``about`` says what is asked of the server.

    It is sealed as a whole and kept nowhere, so ``given`` may hold what nobody else must read.
    """

    about: str
    server_id: str
    nonce: str
    given: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What a host said: ``found``, or a sentence why not. ``later`` when another try may help."""

    found: dict[str, Any] | None = None
    fault: str | None = None
    later: bool = False


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
