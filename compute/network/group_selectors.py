"""Reads about security groups: which a project has, what is in them, and whom they let in."""

from django.db.models import Count, Model, OuterRef, QuerySet, Subquery
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from compute.network.models import Port, SecurityGroup, SecurityGroupRule
from compute.network.selectors import security_groups_visible
from portal.core.context import RequestContext
from portal.core.errors import NotFound

_MEMBERS = Port.security_groups.through


def groups_in_use(ctx: RequestContext, project_id: str) -> QuerySet[SecurityGroup]:
    """Return those groups of a project that the caller sees, each with ``rule_count`` and ``port_count``."""
    return _counted(security_groups_visible(ctx).filter(project_id=project_id).prefetch_related(None))


def get_group_in_use(ctx: RequestContext, group_id: str) -> SecurityGroup:
    """Return a group that the caller may see with its two counts and its rules; any other id is simply not found."""
    found = _counted(security_groups_visible(ctx)).filter(pk=group_id).first()
    if found is None:
        raise NotFound("SecurityGroup", group_id)
    return found


def _counted(rows: QuerySet[SecurityGroup]) -> QuerySet[SecurityGroup]:
    return rows.annotate(
        rule_count=_count(SecurityGroupRule.objects.all(), "security_group"),
        port_count=_count(_MEMBERS.objects.all(), "securitygroup"),
    )


def _count(rows: QuerySet[Model], key: str) -> Combinable:
    """Return a subquery for each group: two joins in one query would multiply rules with ports."""
    mine = rows.filter(**{key: OuterRef("pk")}).order_by().values(key)
    return Coalesce(Subquery(mine.annotate(number=Count("pk")).values("number")), 0)


def devices_in(group: SecurityGroup) -> QuerySet[Port, str]:
    """Return the ids of the devices that have a port in a group, as a subquery."""
    return group.ports.exclude(device_id="").order_by().values_list("device_id", flat=True).distinct()


def groups_that_shut(device_id: str, tcp_port: int) -> list[str] | None:
    """Return the ids of a device's groups when TCP to this port comes in from their own members at most, else None.

    A device without a port is not asked about, and one with a port that is not filtered lets everything in.
    """
    rows = Port.objects.filter(device_id=device_id).order_by("position", "pk")
    ports = list(rows.values_list("port_security_enabled", "security_groups"))
    if not ports or not all(filtered for filtered, _group in ports):
        return None
    groups = list(dict.fromkeys(group for _filtered, group in ports if group))
    return None if _lets_in(groups, tcp_port) else groups


def _lets_in(groups: list[str], tcp_port: int) -> bool:
    """Whether a rule of these groups lets TCP to the port in from elsewhere. Guests have IPv4 addresses only."""
    rules = SecurityGroupRule.objects.filter(security_group__in=groups, direction="ingress", ethertype="IPv4")
    strangers = rules.exclude(remote_group__in=groups)
    return any(
        rule.port_range_min is None or rule.port_range_min <= tcp_port <= (rule.port_range_max or 0)
        for rule in strangers
        if rule.protocol in (None, "tcp", "6")
    )
