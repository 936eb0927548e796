"""What pages show of an instance besides its own row: image, addresses, fault, stages. Read for many rows at once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _

from compute.models import Server, ServerAction
from compute.network.selectors import addresses
from compute.selectors import faults_of
from compute.services.actions import stage_name
from compute.states import BUILD_STAGES, Action, TaskState, VmState
from images.models import Image
from portal.dashboard.kit.words import size, took


@dataclass(frozen=True)
class Facts:
    """One instance's row: what is not in the server itself."""

    image: str
    addresses: list[str] = field(default_factory=list)
    fault: str = ""

    @property
    def address(self) -> str:
        return self.addresses[0] if self.addresses else ""


def facts_of(servers: Iterable[Server]) -> dict[str, Facts]:
    """Return the facts of every server by id, in a fixed number of queries."""
    servers = list(servers)
    ids = [server.pk for server in servers]
    used = {server.image_id for server in servers if server.image_id}
    images = {pk: name or pk[:8] for pk, name in Image.objects.filter(pk__in=used).values_list("pk", "name")}
    held = addresses(ids)
    broken = [server.pk for server in servers if server.vm_state == VmState.ERROR]
    faults = faults_of(broken) if broken else {}
    return {
        server.pk: Facts(
            images.get(server.image_id or "", _("unknown image")),
            [item.address for item in held.get(server.pk, [])],
            faults[server.pk].message if server.pk in faults else "",
        )
        for server in servers
    }


@dataclass(frozen=True)
class Stage:
    """One stage of a build: ``state`` is waiting, running, done or failed."""

    number: int
    label: str
    state: str
    took: str = ""
    detail: str = ""
    percent: int | None = None


def build_stages(server: Server, action: ServerAction | None) -> list[Stage]:
    """Return the four stages of a build as the server's own reports tell them, in the order they happen.

    A rebuild has only some of them.
    """
    events = {event.name: event for event in action.events.all()} if action else {}
    labels = {
        TaskState.SCHEDULING: _("Choose a host"),
        TaskState.NETWORKING: _("Connect the network"),
        TaskState.BLOCK_DEVICE_MAPPING: _("Fetch the image, make the disk"),
        TaskState.SPAWNING: _("Start"),
    }
    task = TaskState(server.task_state) if server.task_state else None
    now = BUILD_STAGES.index(task) if task in BUILD_STAGES else None
    stages = []
    for position, stage in enumerate(BUILD_STAGES):
        event = events.get(stage_name(stage))
        if event is None and action is not None and action.action != Action.CREATE:
            continue
        failed = event is not None and event.result == "Error"
        if server.vm_state == VmState.ACTIVE:
            state = "done"
        elif failed:
            state = "failed"
        elif now is not None:
            state = "done" if position < now else "running" if position == now else "waiting"
        else:
            state = "done" if event is not None and event.finished_at else "waiting"
        stages.append(Stage(position + 1, labels[stage], state, *_figures(event, state)))
    return stages


def _figures(event: object | None, state: str) -> tuple[str, str, int | None]:
    if event is None:
        return "", "", None
    done, total = getattr(event, "bytes_done", None), getattr(event, "bytes_total", None)
    detail = str(getattr(event, "detail", "") or "")
    percent = None
    if done is not None and total:
        detail = _("%(done)s of %(total)s") % {"done": size(done), "total": size(total)}
        percent = min(100, 100 * done // total) if state == "running" else None
    start: datetime | None = getattr(event, "started_at", None)
    return took(start, getattr(event, "finished_at", None)), detail, percent
