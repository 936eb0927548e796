"""How many networks, subnets, ports, groups and rules a project may have (Networking API, "Quotas extension")."""

from collections.abc import Mapping

from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from accounts.services import quotas
from accounts.services.quotas import Resource
from compute.network import policies
from compute.network.models import Network, Port, SecurityGroup, SecurityGroupRule, Subnet
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Conflict, NotFound, QuotaExceeded
from portal.core.policy import authorize

RESOURCES = {
    "network": Resource("network", "network", 100),
    "subnet": Resource("network", "subnet", 100),
    "port": Resource("network", "port", 500),
    "security_group": Resource("network", "security_group", 10),
    "security_group_rule": Resource("network", "security_group_rule", 100),
}
_MODELS: dict[str, type[Model]] = {
    "network": Network,
    "subnet": Subnet,
    "port": Port,
    "security_group": SecurityGroup,
    "security_group_rule": SecurityGroupRule,
}


def declare() -> None:
    """Make the network's resources known to the quota service."""
    quotas.declare(RESOURCES, lambda project_ids: {name: _rows(name, project_ids).count() for name in RESOURCES})


def admit(project_id: str, name: str, count: int = 1) -> None:
    """Let a project have so many more, or raise Conflict; what was counted stays true until the caller's transaction ends."""
    if not project_id:
        return
    quotas.lock(project_id)
    try:
        quotas.admit(project_id, {name: count}, {name: _rows(name, [project_id]).count()})
    except QuotaExceeded as error:
        raise Conflict(_("Quota exceeded for resources: ['%(name)s'].") % {"name": name}, "OverQuota") from error


def limits(project_id: str) -> dict[str, int]:
    """Return a project's limits, -1 for none."""
    found = quotas.limits(project_id)
    return {name: found[name] for name in RESOURCES}


def limits_of_all(*, ctx: RequestContext) -> dict[str, dict[str, int]]:
    """Return the limits of every project that has some of its own, by its id. It is nobody's list, so readers of one project get none."""
    authorize(ctx, policies.GET_QUOTA, {})
    return quotas.limits_of_all(RESOURCES)


def defaults() -> dict[str, int]:
    """Return the limits of a project that has none of its own."""
    found = quotas.defaults()
    return {name: found[name] for name in RESOURCES}


@transaction.atomic
def change(*, ctx: RequestContext, project_id: str, changes: Mapping[str, int], check: bool = False) -> dict[str, int]:
    """Return a project's limits after these changes; with ``check`` none may fall below what is used."""
    authorize(ctx, policies.UPDATE_QUOTA, {"project_id": project_id, "tenant_id": project_id})
    unknown = sorted(set(changes) - set(RESOURCES))
    if unknown:
        raise BadRequest(_("Unrecognized attribute(s) '%(names)s'") % {"names": ", ".join(unknown)})
    if check:
        quotas.lock(project_id)
    for name, limit in changes.items() if check else ():
        used = _rows(name, [project_id]).count()
        if 0 <= limit < used:
            raise BadRequest(
                _("Quota limit %(limit)s for %(name)s must be greater than or equal to already used %(used)s.")
                % {"limit": limit, "name": name, "used": used}
            )
    quotas.set_limits(project_id, changes)
    return limits(project_id)


def reset(*, ctx: RequestContext, project_id: str) -> None:
    """Let the defaults hold for a project again; raises NotFound for one that has none of its own."""
    authorize(ctx, policies.DELETE_QUOTA, {"project_id": project_id, "tenant_id": project_id})
    if not quotas.reset(project_id, RESOURCES):
        raise NotFound(
            "TenantQuota", project_id, _("Quota for tenant %(project)s could not be found.") % {"project": project_id}
        )


def _rows(name: str, project_ids: list[str]) -> QuerySet[Model]:
    return _MODELS[name]._default_manager.filter(project_id__in=project_ids)
