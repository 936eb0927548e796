"""What projects and their users may use, use and used: counted from the servers' rows, never from counters that could be missed."""

from datetime import datetime

from django.db.models import Q, QuerySet

from accounts.services import quotas
from compute import policies
from compute.models import Server, ServerGroup, UserLimit
from compute.selectors import counted
from portal.core.context import RequestContext
from portal.core.policy import authorize

SECONDS_PER_HOUR = 3600


def servers_of_all(ctx: RequestContext, start: datetime, stop: datetime) -> QuerySet[Server]:
    """Return the servers of all projects that ran at some time of the period, those that are gone by now too."""
    authorize(ctx, policies.USAGE_LIST)
    return _running(start, stop)


def servers_of(ctx: RequestContext, project_id: str, start: datetime, stop: datetime) -> QuerySet[Server]:
    """Return the servers of one project that ran at some time of the period."""
    authorize(ctx, policies.USAGE_SHOW, {"project_id": project_id})
    return _running(start, stop).filter(project_id=project_id)


def _running(start: datetime, stop: datetime) -> QuerySet[Server]:
    ended_later = Q(deleted_at=None) | Q(deleted_at__gt=start)
    return Server.objects.filter(ended_later, launched_at__lt=stop)


def hours(server: Server, start: datetime, stop: datetime) -> float:
    """Return for how many hours of the period the server was there."""
    if server.launched_at is None:
        return 0.0
    begin, end = max(server.launched_at, start), min(server.deleted_at or stop, stop)
    return max(0.0, (end - begin).total_seconds() / SECONDS_PER_HOUR)


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
