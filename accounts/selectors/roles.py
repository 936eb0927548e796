"""Roles, what they imply, and who holds them."""

from django.db.models import QuerySet

from accounts import policies
from accounts.models import (
    Assignment,
    ImpliedRole,
    Role,
)
from accounts.selectors.finding import domain_target, find, get_allowed
from portal.core.context import RequestContext
from portal.core.errors import NotFound
from portal.core.policy import authorize


def get_role(ctx: RequestContext, role_id: str) -> Role:
    """Return a role; those of domains have a rule of their own."""
    role = Role.objects.filter(pk=role_id).first()
    rule = policies.GET_DOMAIN_ROLE if role is not None and role.domain_id else policies.GET_ROLE
    return get_allowed(ctx, rule, Role, "role", role_id)


def roles_visible(ctx: RequestContext, domain_id: str | None = None) -> QuerySet[Role]:
    """Return the roles of the whole cloud, or those of one domain."""
    authorize(ctx, policies.LIST_DOMAIN_ROLES if domain_id else policies.LIST_ROLES, domain_target(ctx))
    return Role.objects.filter(domain_id=domain_id)


def assignments_visible(ctx: RequestContext, *, tree: bool = False) -> QuerySet[Assignment]:
    """Return role assignments; with a domain's scope those on the domain and its projects."""
    authorize(ctx, policies.LIST_ASSIGNMENTS_FOR_TREE if tree else policies.LIST_ASSIGNMENTS, domain_target(ctx))
    rows = Assignment.objects.select_related("role__domain", "user__domain", "group__domain", "project__domain", "domain")
    if ctx.domain_id:
        rows = rows.filter(domain_id=ctx.domain_id) | rows.filter(project__domain_id=ctx.domain_id)
    return rows


def implications_visible(ctx: RequestContext) -> QuerySet[ImpliedRole]:
    """Return which role implies which."""
    authorize(ctx, policies.LIST_ROLE_INFERENCES, domain_target(ctx))
    return ImpliedRole.objects.select_related("prior", "implied").order_by("prior__name", "implied__name")


def implied_by(ctx: RequestContext, prior: Role) -> list[Role]:
    """Return the roles that a role implies directly."""
    authorize(ctx, policies.LIST_IMPLIED_ROLES, domain_target(ctx))
    return list(Role.objects.filter(implied_by__prior=prior).order_by("name"))


def implication(ctx: RequestContext, prior_id: str, implied_id: str) -> tuple[Role, Role]:
    """Return both ends of an implication; raises NotFound when there is none."""
    authorize(ctx, policies.GET_IMPLIED_ROLE, domain_target(ctx))
    prior, implied = find(Role, "role", prior_id), find(Role, "role", implied_id)
    if not ImpliedRole.objects.filter(prior=prior, implied=implied).exists():
        raise NotFound("implied_role", "", f"{prior.pk} does not imply {implied.pk}")
    return prior, implied
