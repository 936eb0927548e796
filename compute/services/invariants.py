"""What must be true of a cloud at rest, each as a function that returns the sentences about what breaks it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.core.cache import cache
from django.db.models import F, QuerySet
from django.utils import timezone
from guardian.models import GroupObjectPermission, UserObjectPermission

from compute.models import ConsoleToken, Host, Server, ServerAction
from compute.network.models import Port
from compute.network.services.ports import DEVICE_OWNER
from compute.services import claims, usage
from compute.services.findings import slices
from compute.states import TRANSITIONS, Action, VmState
from images.models import Image
from images.services import data
from portal.core.errors import CloudError
from portal.core.models import OutboxMessage

SETTLE = timedelta(seconds=60)


def domains_and_rows() -> Iterator[str]:
    """I1: every guest belongs to a row, and every row that should have a guest has one."""
    resting = Server.objects.present().filter(task_state=None)
    for server in resting.filter(vm_state__in=[VmState.ACTIVE, VmState.STOPPED], host=None):
        yield f"instance {server.pk} is {server.vm_state} and has no host"
    settled = timezone.now() - SETTLE
    for host in Host.objects.all():
        guests = cache.get(f"compute:guests:{host.name}")
        if guests is None:
            continue
        here = set(Server.objects.present().filter(host=host.name).values_list("pk", flat=True))
        for stranger in set(guests) - here:
            yield f"guest {stranger} on {host.name} has no row that says so"
        rows = resting.filter(host=host.name, vm_state__in=[VmState.ACTIVE, VmState.STOPPED], updated_at__lt=settled)
        for missing in set(rows.values_list("pk", flat=True)) - set(guests):
            yield f"instance {missing} has no guest on {host.name}"


def things_without_owner() -> Iterator[str]:
    """I2: no port, console token or instance folder without its server."""
    for port in ports_left():
        yield f"port {port.pk} belongs to {port.device_id}, which is gone"
    for token in ConsoleToken.objects.filter(expires_at__lt=timezone.now() - SETTLE):
        yield f"console token {token.pk} ended at {token.expires_at:%H:%M:%S} and is still there"
    here = folders(Path(settings.STATE_DIR) / "instances")
    known = set(Server.objects.present().filter(pk__in=here).values_list("pk", flat=True))
    for folder in here:
        if folder not in known:
            yield f"folder instances/{folder} belongs to no instance"


def ports_left() -> QuerySet[Port]:
    """Return the ports of servers that are gone."""
    present = Server.objects.present().values("pk")
    return Port.objects.filter(device_owner=DEVICE_OWNER).exclude(device_id__in=present)


def folders(path: Path) -> list[str]:
    """Return the names of the servers' folders that can be seen from here."""
    try:
        return [entry.name for entry in path.iterdir() if entry.is_dir() and len(entry.name) == 36]
    except OSError:  # only root may look, or there is none on this machine
        return []


def claims_equal_servers() -> Iterator[str]:
    """I3: what is claimed on a host is the sum of its servers, and what they use is counted."""
    yield from map(str, claims.astray(Host.objects.all()))
    yield from map(str, usage.astray())


def no_task_for_ever() -> Iterator[str]:
    """I4: no operation is older than its time limit."""
    now = timezone.now()
    for server in slices(Server.objects.busy()):
        if server.operation not in (None, *Action):
            yield f"instance {server.pk} is in {server.task_state} by an operation that nobody knows"
            continue
        kind = TRANSITIONS[Action(server.operation or Action.CREATE)].limit
        limit = timedelta(seconds=settings.OPERATION_TIMEOUTS_S[kind]) + SETTLE
        if server.operation_at is not None and now - server.operation_at > limit:
            yield f"instance {server.pk} is in {server.task_state} since {server.operation_at:%Y-%m-%d %H:%M:%S}"
    for server in Server.objects.present().filter(task_state=None, vm_state=VmState.BUILDING):
        yield f"instance {server.pk} is building, and nobody builds it"


def images_are_whole() -> Iterator[str]:
    """I5: no active image without all its bytes."""
    for image in Image.objects.filter(status="active"):
        if image.size is None:
            yield f"image {image.pk} is active without size"
            continue
        try:
            reader = data.open_reader(image)
        except CloudError as error:
            yield f"image {image.pk} is active, but: {error}"
            continue
        if reader is not None:
            if reader.size != image.size:
                yield f"image {image.pk} should have {image.size} bytes and has {reader.size}"
            reader.close()


def messages_arrive() -> Iterator[str]:
    """I6: no message waits for ever, and none is dead."""
    for row in OutboxMessage.objects.filter(created_at__lt=timezone.now() - SETTLE):
        yield f"message {row} waits in the outbox since {row.created_at:%Y-%m-%d %H:%M:%S}"
    if settings.BROKER_URL.startswith("amqp"):
        return
    try:
        client = redis.Redis.from_url(settings.BROKER_URL, socket_connect_timeout=2, socket_timeout=2)
        for key in client.scan_iter("nebulet:*.XQ"):
            dead = client.zcard(key)
            if dead:
                yield f"queue {key.decode()} holds {dead} dead messages"
    except redis.RedisError as error:
        yield f"the queue does not answer: {error}"


def grants_have_objects() -> Iterator[str]:
    """I7: no grant on what is gone."""
    for rows in grants_left():
        for server_id in rows.values_list("object_pk", flat=True):
            yield f"a grant on instance {server_id}, which is gone"


def grants_left() -> Iterator[QuerySet[Any]]:
    """Yield the grants to people, and those to groups, on servers that are gone."""
    present = Server.objects.present().values("pk")
    for model in (UserObjectPermission, GroupObjectPermission):
        rows = model.objects.filter(content_type__app_label="compute", content_type__model="server")
        yield rows.exclude(object_pk__in=present)


def operations_are_logged() -> Iterator[str]:
    """I8: every operation that ended has its action with a request id, a start, an end and a result."""
    for row in ServerAction.objects.filter(finished_at=None, server__task_state=None).select_related("server"):
        yield f"action {row.action} of instance {row.server_id} never ended"
    for row in ServerAction.objects.exclude(finished_at=None).filter(events__isnull=True):
        yield f"action {row.action} of instance {row.server_id} has no event"
    for row in ServerAction.objects.filter(finished_at__lt=F("started_at")):
        yield f"action {row.action} of instance {row.server_id} ended before it began"


ALL: dict[str, Callable[[], Iterator[str]]] = {
    "I1 guests and rows": domains_and_rows,
    "I2 nothing without owner": things_without_owner,
    "I3 claims": claims_equal_servers,
    "I4 no task for ever": no_task_for_ever,
    "I5 images are whole": images_are_whole,
    "I6 messages arrive": messages_arrive,
    "I7 grants": grants_have_objects,
    "I8 every operation is logged": operations_are_logged,
}
