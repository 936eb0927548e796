"""Images in the caches of hosts: what hosts tell of them, fetches ahead of any server, removal.

A host's report is the truth about what is cached; a wish to have an image is a row of ours until the host has it or says why not.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from compute import rpc
from compute.messages import EvictImage, FetchImage, HeldImage, ImageNotFetched
from compute.models import Host, HostImage
from compute.selectors import is_up
from compute.services import build
from compute.states import CacheState
from images import policies
from images.models import Image
from images.services.transfer import READ_LIFETIME_S
from images.states import ImageStatus
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Conflict, NotFound
from portal.core.policy import authorize

NOT_FETCHED = f"The host did not fetch the image within {READ_LIFETIME_S // 3600} hours."

_HELD = (CacheState.CACHED, CacheState.LEAVING)


class Target(StrEnum):
    """What ``clear`` empties."""

    BOTH = ""
    CACHE = "cache"
    QUEUE = "queue"


def take_over(host: Host, held: Sequence[HeldImage], at: datetime) -> None:
    """Make the rows of a host say what it held at that time. A report like the last one writes nothing.

    An image that is told to go is there again when a report says so that is younger than the command: a disk uses it.
    """
    known = {row.image_id: row for row in HostImage.objects.filter(host=host)}
    for image in held:
        told = {
            "state": CacheState.CACHED,
            "size_bytes": image.bytes,
            "disks": image.disks,
            "fetched_at": datetime.fromtimestamp(image.fetched_at, tz=UTC),
            "used_at": datetime.fromtimestamp(image.used_at, tz=UTC),
            "fault": "",
        }
        row = known.pop(image.image_id, None)
        if row is not None and row.state == CacheState.LEAVING and row.asked_at is not None and at <= row.asked_at:
            continue
        if row is None or any(getattr(row, name) != value for name, value in told.items()):
            HostImage.objects.update_or_create(host=host, image_id=image.image_id, defaults=told)
    gone = [row.pk for row in known.values() if row.state in _HELD]
    if gone:
        HostImage.objects.filter(pk__in=gone, state__in=_HELD).delete()


def not_fetched(report: ImageNotFetched) -> None:
    """Keep why a host could not fetch an image; about an older wish than the latest it says nothing."""
    waiting = HostImage.objects.filter(host__name=report.host, image_id=report.image_id, state=CacheState.QUEUED)
    waiting.filter(request_id=report.request_id).update(state=CacheState.FAILED, fault=report.fault)


def give_up_old() -> int:
    """End the wishes whose signed address has ended, which no host can fulfil any more; return how many."""
    before = timezone.now() - timedelta(seconds=READ_LIFETIME_S)
    old = HostImage.objects.filter(state=CacheState.QUEUED, asked_at__lt=before)
    return old.update(state=CacheState.FAILED, fault=NOT_FETCHED)


@transaction.atomic
def warm(*, ctx: RequestContext, image: Image, host: str | None = None) -> list[str]:
    """Have one host, or every host in use, fetch an image; return the names of those that were asked.

    A host that has the image is left alone; one that was asked before is asked again.
    """
    authorize(ctx, policies.CACHE_IMAGE, image)
    return fetch_ahead(ctx=ctx, image=image, hosts=_hosts(host))


def fetch_ahead(*, ctx: RequestContext, image: Image, hosts: Iterable[Host]) -> list[str]:
    """Ask those of the hosts for the image that do not have it; return their names. The caller has checked the rule."""
    if image.status != ImageStatus.ACTIVE:
        sentence = _("Image %(id)s is %(status)s; only an active image can be cached.")
        raise BadRequest(sentence % {"id": image.pk, "status": image.status})
    reference = build.reference(image)
    having = set(HostImage.objects.filter(image_id=image.pk, state=CacheState.CACHED).values_list("host", flat=True))
    asked = []
    for found in hosts:
        if found.pk in having:
            continue
        wish = {"state": CacheState.QUEUED, "request_id": ctx.request_id, "asked_at": timezone.now(), "fault": ""}
        HostImage.objects.update_or_create(host=found, image_id=image.pk, defaults=wish)
        rpc.send(found.name, FetchImage(reference, ctx.request_id))
        asked.append(found.name)
    return asked


def in_use(hosts: Iterable[Host]) -> list[Host]:
    """Return those of the hosts that are up and enabled."""
    return [host for host in hosts if is_up(host.service) and not host.service.disabled]


def _hosts(name: str | None) -> list[Host]:
    """Return the host of that name, or all that can be asked; raises NotFound or Conflict where there is none."""
    rows = Host.objects.select_related("service")
    if name is not None:
        found = rows.filter(name=name).first()
        if found is None:
            raise NotFound("Host", name, _("Compute host %(name)s could not be found.") % {"name": name})
        return [found]
    found_in_use = in_use(rows)
    if not found_in_use:
        raise Conflict(_("No compute host is up and enabled."))
    return found_in_use


@transaction.atomic
def evict(*, ctx: RequestContext, image_id: str, host: str | None = None) -> list[str]:
    """Have hosts remove an image that none of their disks uses, and forget wishes for it; return the names of these hosts.

    Raises Conflict when it is used wherever it lies. Each host looks again itself before it removes anything.
    """
    authorize(ctx, policies.CACHE_DELETE)
    rows = HostImage.objects.select_related("host").filter(image_id=image_id)
    if host is not None:
        rows = rows.filter(host__in=_hosts(host))
    found = list(rows)
    free = [row for row in found if not row.disks]
    if found and not free:
        sentence = _("Image %(id)s is used by servers on %(hosts)s.")
        raise Conflict(sentence % {"id": image_id, "hosts": ", ".join(row.host.name for row in found)})
    _remove(ctx, free)
    return [row.host.name for row in free]


@transaction.atomic
def clear(*, ctx: RequestContext, target: Target = Target.BOTH) -> int:
    """Empty the caches of what no disk uses, the queue of wishes, or both; return how many entries that concerns."""
    authorize(ctx, policies.CACHE_DELETE)
    rows = HostImage.objects.select_related("host").filter(disks=0)
    if target == Target.CACHE:
        rows = rows.filter(state__in=_HELD)
    elif target == Target.QUEUE:
        rows = rows.exclude(state__in=_HELD)
    found = list(rows)
    _remove(ctx, found)
    return len(found)


def _remove(ctx: RequestContext, rows: Sequence[HostImage]) -> None:
    """Tell the hosts. A row of what is cached stays, as leaving, until its host says that the image is gone."""
    for row in rows:
        cancels = row.request_id if row.state == CacheState.QUEUED else ""
        if row.state in _HELD or cancels:
            rpc.send(row.host.name, EvictImage(row.image_id, ctx.request_id, cancels))
    told = HostImage.objects.filter(pk__in=[row.pk for row in rows])
    told.exclude(state__in=_HELD).delete()
    told.update(state=CacheState.LEAVING, asked_at=timezone.now())
