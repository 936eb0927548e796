"""Registered limits, and the limits of projects and domains."""

from django.db.models import Q, QuerySet

from accounts import policies
from accounts.models import (
    Limit,
    RegisteredLimit,
)
from accounts.selectors.finding import get_allowed
from portal.core.context import RequestContext
from portal.core.policy import allowed, authorize


def registered_limits_visible(ctx: RequestContext) -> QuerySet[RegisteredLimit]:
    """Return the registered limits."""
    authorize(ctx, policies.LIST_REGISTERED_LIMITS)
    return RegisteredLimit.objects.all()


def get_registered_limit(ctx: RequestContext, key: str) -> RegisteredLimit:
    """Return a registered limit."""
    return get_allowed(ctx, policies.GET_REGISTERED_LIMIT, RegisteredLimit, "registered limit", key)


def limits_visible(ctx: RequestContext) -> QuerySet[Limit]:
    """Return the limits of the caller's project, of his domain and its projects, or all of them to who may see each."""
    authorize(ctx, policies.LIST_LIMITS)
    rows = Limit.objects.select_related("registered", "project")
    if allowed(ctx, policies.GET_LIMIT, {}):
        return rows
    if ctx.domain_id:
        return rows.filter(Q(domain_id=ctx.domain_id) | Q(project__domain_id=ctx.domain_id))
    return rows.filter(project_id=ctx.project_id or "")


def get_limit(ctx: RequestContext, key: str) -> Limit:
    """Return a limit; to a caller without rights an unknown one looks like another's."""
    return get_allowed(ctx, policies.GET_LIMIT, Limit, "limit", key)
