"""What projects used: counted from when each server began and ended, never from counters that could be missed."""

from datetime import datetime

from django.db.models import Q, QuerySet

from compute import policies
from compute.models import Server
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
