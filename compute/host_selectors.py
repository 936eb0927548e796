"""Reads of operators about hosts: how they are grouped, and who uses one."""

from django.db.models import F, QuerySet, Sum

from compute.models import Aggregate, Server
from portal.core.context import RequestContext
from portal.core.errors import NotFound
from portal.core.policy import Rule, authorize


def aggregates(ctx: RequestContext, rule: Rule) -> QuerySet[Aggregate]:
    """Return the host aggregates with their hosts, for whoever ``rule`` lets pass."""
    authorize(ctx, rule)
    return Aggregate.objects.prefetch_related("hosts")


def get_aggregate(ctx: RequestContext, aggregate_id: int, rule: Rule) -> Aggregate:
    """Return one host aggregate by its number."""
    found = aggregates(ctx, rule).filter(pk=aggregate_id).first()
    if found is None:
        raise NotFound("Aggregate", str(aggregate_id), f"Aggregate {aggregate_id} could not be found.")
    return found


def claims_by_project(host: str) -> dict[str, tuple[int, int, int]]:
    """Return vCPUs, memory and disk of each project's servers on a host, with one query."""
    rows = (
        Server.objects.present()
        .filter(host=host)
        .order_by("project_id")
        .values("project_id")
        .annotate(cpu=Sum("vcpus"), memory_mb=Sum("ram_mb"), disks_gb=Sum(F("root_gb") + F("ephemeral_gb")))
    )
    return {row["project_id"]: (row["cpu"], row["memory_mb"], row["disks_gb"]) for row in rows}
