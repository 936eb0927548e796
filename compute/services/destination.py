"""Where a launch shall go: zone, host, group and the company of other servers, checked. Sentences follow the compute API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from compute import group_selectors, policies
from compute.models import Host, ServerGroup
from compute.selectors import availability_zones
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, NotFound
from portal.core.policy import authorize

Hints = Mapping[str, Any]


@dataclass(frozen=True)
class Destination:
    """Where a server may go; ``hints`` are kept as they were said."""

    zone: str | None = None
    host: str | None = None
    group: ServerGroup | None = None
    hints: Hints = field(default_factory=dict)


def check(
    ctx: RequestContext,
    *,
    availability_zone: str | None,
    host: str | None = None,
    hypervisor_hostname: str | None = None,
    hints: Hints | None = None,
) -> Destination:
    """Return the destination; raises BadRequest or Forbidden. ``availability_zone`` may be ``zone:host:node``."""
    zone, *forced = _parts(availability_zone)
    if any(forced):
        authorize(ctx, policies.CREATE_FORCED_HOST)
    if host or hypervisor_hostname:
        authorize(ctx, policies.CREATE_DESTINATION)
        if any(forced):
            raise BadRequest(
                _(
                    "One mechanism with host and/or hypervisor_hostname and another mechanism with zone:host:node are "
                    "mutually exclusive."
                )
            )
    found = _host(zone, [*forced, host, hypervisor_hostname])
    if zone and zone not in availability_zones(ctx):
        raise BadRequest(_("The requested availability zone is not available"))
    return Destination(zone or None, found, _group(ctx, hints or {}), hints or {})


def _parts(word: str | None) -> tuple[str, str, str]:
    parts = (word or "").split(":")
    if len(parts) > 3:
        raise BadRequest(_("Invalid input received: Unable to parse availability_zone"))
    zone, host, node = [*parts, "", ""][:3]
    return zone, host, node


def _host(zone: str, names: list[str | None]) -> str | None:
    """Return the one host that all names mean: a host and its hypervisor bear the same name here."""
    wanted = {name for name in names if name}
    for name in sorted(wanted):
        found = Host.objects.select_related("service").filter(name=name).first()
        if found is None:
            raise BadRequest(_("Compute host %(name)s could not be found.") % {"name": name})
        if zone and found.service.zone != zone:
            sentence = _("The requested availability zone is not available: host %(host)s is in zone %(zone)s.")
            raise BadRequest(sentence % {"host": name, "zone": found.service.zone})
    if len(wanted) > 1:
        sentence = _("No valid host was found: %(hosts)s are different hosts.")
        raise BadRequest(sentence % {"hosts": pgettext("hosts", " and ").join(sorted(wanted))})
    return next(iter(wanted), None)


def _group(ctx: RequestContext, hints: Hints) -> ServerGroup | None:
    named = hints.get("group")
    if isinstance(named, list):
        named = named[0] if named else None
    if not named:
        return None
    try:
        return group_selectors.get_group(ctx, named)
    except NotFound as error:
        raise BadRequest(error.message) from error
