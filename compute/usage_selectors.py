"""What projects and their users may use, use and used: counted from rows, never from counters that could be missed."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.services import quotas
from compute import policies
from compute.models import Server, ServerGroup, UsageInterval, UserLimit
from compute.selectors import counted
from portal.core.context import RequestContext
from portal.core.policy import authorize

SECONDS_PER_HOUR = 3600


@dataclass(frozen=True)
class Spent:
    """What was used in a period: hours, and hours times what was there in each of them."""

    hours: float = 0.0
    vcpus: float = 0.0
    memory_mb: float = 0.0
    local_gb: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            self.hours + other.hours,
            self.vcpus + other.vcpus,
            self.memory_mb + other.memory_mb,
            self.local_gb + other.local_gb,
        )


def servers_of_all(ctx: RequestContext) -> QuerySet[Server]:
    """Return the servers of all projects to whoever may see what they used."""
    authorize(ctx, policies.USAGE_LIST)
    return Server.objects.all()


def servers_of(ctx: RequestContext, project_id: str) -> QuerySet[Server]:
    """Return the servers of one project to whoever may see what they used."""
    authorize(ctx, policies.USAGE_SHOW, {"project_id": project_id})
    return Server.objects.filter(project_id=project_id)


def during(servers: QuerySet[Server], start: datetime, stop: datetime) -> QuerySet[Server]:
    """Return those that were on a host at some time of the period, those that are gone by now too, with their intervals."""
    ended_later = Q(ended_at=None) | Q(ended_at__gt=start)
    used = UsageInterval.objects.filter(ended_later, server=OuterRef("pk"), started_at__lt=stop)
    return servers.filter(Exists(used)).prefetch_related("intervals")


def spent(server: Server, start: datetime, stop: datetime) -> Spent:
    """Return what a server used in the period."""
    return sum((_part(interval, start, stop) for interval in server.intervals.all()), Spent())


def _part(interval: UsageInterval, start: datetime, stop: datetime) -> Spent:
    begin, end = max(interval.started_at, start), min(interval.ended_at or stop, stop)
    hours = max(0.0, (end - begin).total_seconds() / SECONDS_PER_HOUR)
    return Spent(hours, hours * interval.vcpus, hours * interval.ram_mb, hours * interval.local_gb)


def user_limits(project_id: str, user_id: str) -> dict[str, int]:
    """Return the limits that one user has of his own within a project."""
    return dict(UserLimit.objects.filter(project_id=project_id, user_id=user_id).values_list("resource", "limit"))


def limits_of(project_id: str, user_id: str | None) -> dict[str, int]:
    """Return every limit that holds for a project, or for one user in it."""
    return {**quotas.limits(project_id), **(user_limits(project_id, user_id) if user_id else {})}


def in_use_by(project_id: str, user_id: str | None) -> dict[str, int]:
    """Return what a project, or one user in it, has of everything that is counted."""
    whose = {"project_id": project_id} | ({"user_id": user_id} if user_id else {})
    groups = ServerGroup.objects.filter(**whose).count()
    return {**counted(Server.objects.present().filter(**whose)), "server_groups": groups}
