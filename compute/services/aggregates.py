"""Host aggregates, as operators make and change them; the zones of hosts follow from them.

A host is in the zone of its aggregates, or in the default zone. It is in one zone only, and servers never change theirs: a change
that would put a host with servers into another zone is refused. ``Service.zone`` is the outcome, which everything else reads.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from django.db import IntegrityError, transaction
from django.db.models import Prefetch
from django.utils import timezone
from django.utils.translation import gettext as _

from compute import policies
from compute.models import Aggregate, Host, Server, Service
from compute.models.host import DEFAULT_ZONE
from compute.services import image_cache
from images.models import Image
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, CloudError, Conflict, NotFound
from portal.core.policy import authorize

ZONE_KEY = "availability_zone"
METADATA_MAX = 255

Refusal = Callable[[str], CloudError]


@transaction.atomic
def create(*, ctx: RequestContext, name: str, zone: str | None = None) -> Aggregate:
    """Return a new aggregate without hosts."""
    authorize(ctx, policies.AGGREGATES_CREATE)
    try:
        with transaction.atomic():
            return Aggregate.objects.create(name=_checked_name(name), zone=_checked_zone(zone) if zone is not None else None)
    except IntegrityError as error:
        raise _name_taken(name) from error


@transaction.atomic
def update(*, ctx: RequestContext, aggregate: Aggregate, changes: Mapping[str, str | None]) -> Aggregate:
    """Return the aggregate with another ``name`` or ``zone``; a zone can be changed, never taken away."""
    authorize(ctx, policies.AGGREGATES_UPDATE, aggregate)
    row = _locked(aggregate)
    if "name" in changes:
        row.name = _checked_name(changes["name"] or "")
    if "zone" in changes:
        row.zone = _checked_zone(changes["zone"])
    return _saved(row)


@transaction.atomic
def set_metadata(*, ctx: RequestContext, aggregate: Aggregate, changes: Mapping[str, str | None]) -> Aggregate:
    """Return the aggregate with these items added or changed; None takes an item away. The zone is one of the items."""
    authorize(ctx, policies.AGGREGATES_SET_METADATA, aggregate)
    for key, value in changes.items():
        _require_item(key, value)
    row = _locked(aggregate)
    if ZONE_KEY in changes:
        row.zone = _checked_zone(changes[ZONE_KEY])
    changed = {**row.metadata, **{key: value for key, value in changes.items() if key != ZONE_KEY}}
    row.metadata = {key: value for key, value in changed.items() if value is not None}
    return _saved(row)


@transaction.atomic
def delete(*, ctx: RequestContext, aggregate: Aggregate) -> None:
    """Delete an aggregate that has no hosts any more."""
    authorize(ctx, policies.AGGREGATES_DELETE, aggregate)
    row = _locked(aggregate)
    if row.hosts.exists():
        raise BadRequest(_("Cannot remove host aggregate %(id)s: it is not empty.") % {"id": row.pk})
    row.delete()


@transaction.atomic
def add_host(*, ctx: RequestContext, aggregate: Aggregate, host: str) -> Aggregate:
    """Return the aggregate with one more host, which is in its zone from now on."""
    authorize(ctx, policies.AGGREGATES_ADD_HOST, aggregate)
    row, added = _locked(aggregate), _locked_host(host)
    if row.hosts.filter(pk=added.pk).exists():
        raise Conflict(_("Aggregate %(id)s already has host %(host)s.") % {"id": row.pk, "host": host})
    row.hosts.add(added)
    return _touched(row, [added.pk])


@transaction.atomic
def remove_host(*, ctx: RequestContext, aggregate: Aggregate, host: str) -> Aggregate:
    """Return the aggregate without a host, which goes back to the zone of its other aggregates or to the default one."""
    authorize(ctx, policies.AGGREGATES_REMOVE_HOST, aggregate)
    row = _locked(aggregate)
    if not row.hosts.filter(name=host).exists():
        sentence = _("Cannot remove host %(host)s in aggregate %(id)s")
        raise NotFound("Host", host, sentence % {"host": host, "id": row.pk})
    removed = _locked_host(host)
    row.hosts.remove(removed)
    return _touched(row, [removed.pk])


@transaction.atomic
def cache_images(*, ctx: RequestContext, aggregate: Aggregate, images: Sequence[Image]) -> None:
    """Have every host of the aggregate that is in use fetch these images."""
    authorize(ctx, policies.AGGREGATES_IMAGES, aggregate)
    hosts = image_cache.in_use(aggregate.hosts.select_related("service"))
    for image in images:
        image_cache.fetch_ahead(ctx=ctx, image=image, hosts=hosts)


def _saved(aggregate: Aggregate) -> Aggregate:
    aggregate.updated_at = timezone.now()
    try:
        with transaction.atomic():
            aggregate.save()
    except IntegrityError as error:
        raise _name_taken(aggregate.name) from error
    _settle(aggregate.hosts.values_list("pk", flat=True), BadRequest)
    return aggregate


def _touched(aggregate: Aggregate, host_ids: Iterable[int]) -> Aggregate:
    aggregate.updated_at = timezone.now()
    aggregate.save(update_fields=["updated_at"])
    _settle(host_ids, Conflict)
    return aggregate


def _settle(host_ids: Iterable[int], refusal: Refusal) -> None:
    """Put hosts into the zone that their aggregates now say; raises ``refusal`` where that cannot be.

    A host is locked before its aggregates are read: of two changes that concern it, the later one sees the earlier.
    """
    zoned = Prefetch("aggregates", Aggregate.objects.exclude(zone=None))
    rows = Host.objects.select_for_update().filter(pk__in=list(host_ids)).order_by("pk")
    for host in rows.prefetch_related("service", zoned):
        zones = sorted({aggregate.zone or "" for aggregate in host.aggregates.all()})
        if len(zones) > 1:
            sentence = _("Host %(host)s would be in more than one availability zone: %(zones)s.")
            raise refusal(sentence % {"host": host.name, "zones": ", ".join(zones)})
        zone = zones[0] if zones else DEFAULT_ZONE
        if zone == host.service.zone:
            continue
        if Server.objects.present().filter(host=host.name).exists():
            sentence = _(
                "Host %(host)s would go to availability zone %(zone)s, but it has servers, and these cannot go along."
            )
            raise refusal(sentence % {"host": host.name, "zone": zone})
        Service.objects.filter(pk=host.service.pk).update(zone=zone)


def _locked(aggregate: Aggregate) -> Aggregate:
    row = Aggregate.objects.select_for_update().filter(pk=aggregate.pk).first()
    if row is None:
        sentence = _("Aggregate %(id)s could not be found.") % {"id": aggregate.pk}
        raise NotFound("Aggregate", str(aggregate.pk), sentence)
    return row


def _locked_host(name: str) -> Host:
    """Return the host, locked before a row refers to it: such a row holds a weaker lock, which two callers could not both raise."""
    row = Host.objects.select_for_update().filter(name=name).first()
    if row is None:
        raise NotFound("Host", name, _("Compute host %(name)s could not be found.") % {"name": name})
    return row


def _checked_name(name: str) -> str:
    if not name.strip() or len(name.strip()) > 255:
        raise BadRequest(_("An aggregate's name has 1 to 255 characters."))
    return name.strip()


def _checked_zone(zone: str | None) -> str:
    if not zone or not zone.strip():
        raise BadRequest(_("An aggregate cannot have an availability zone without a name."))
    if ":" in zone or len(zone) > 255:
        raise BadRequest(_("The name of an availability zone has 1 to 255 characters, none of them a colon."))
    return zone


def _require_item(key: str, value: str | None) -> None:
    if not 1 <= len(key) <= METADATA_MAX or (
        value is not None and not (isinstance(value, str) and len(value) <= METADATA_MAX)
    ):
        raise BadRequest(_("Metadata are texts of at most %(most)s characters.") % {"most": METADATA_MAX})


def _name_taken(name: str) -> Conflict:
    return Conflict(_("Aggregate %(name)s already exists.") % {"name": name})
