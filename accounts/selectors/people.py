"""Users, groups, projects and domains that a caller may see, and what is his own."""

from typing import Any

from django.db.models import QuerySet

from accounts import contexts, policies
from accounts.models import (
    Assignment,
    Domain,
    Group,
    Project,
    User,
)
from accounts.selectors.finding import domain_target, get_allowed, in_domain
from portal.core.context import RequestContext
from portal.core.policy import authorize


def get_user(ctx: RequestContext, user_id: str) -> User:
    """Return a user; to a caller without rights an unknown one looks like another's."""
    return get_allowed(ctx, policies.GET_USER, User, "user", user_id)


def users_visible(ctx: RequestContext) -> QuerySet[User]:
    """Return the users that the caller may list; with a domain's scope those of the domain."""
    authorize(ctx, policies.LIST_USERS, domain_target(ctx))
    return in_domain(User.objects.all(), ctx)


def get_group(ctx: RequestContext, group_id: str) -> Group:
    """Return a group; to a caller without rights an unknown one looks like another's."""
    return get_allowed(ctx, policies.GET_GROUP, Group, "group", group_id)


def groups_visible(ctx: RequestContext) -> QuerySet[Group]:
    """Return the groups that the caller may list; with a domain's scope those of the domain."""
    authorize(ctx, policies.LIST_GROUPS, {"target.group.domain_id": ctx.domain_id} if ctx.domain_id else {})
    return in_domain(Group.objects.all(), ctx)


def groups_of_user(ctx: RequestContext, user_id: str) -> QuerySet[Group]:
    """Return the groups to which a user belongs, to himself or to who may look after him."""
    user = get_allowed(ctx, policies.LIST_GROUPS_FOR_USER, User, "user", user_id)
    return Group.objects.filter(members=user)


def users_in_group(ctx: RequestContext, group_id: str) -> QuerySet[User]:
    """Return the users of a group."""
    group = get_allowed(ctx, policies.LIST_USERS_IN_GROUP, Group, "group", group_id)
    return User.objects.filter(member_of=group)


def get_project(ctx: RequestContext, project_id: str) -> Project:
    """Return a project; to a caller without rights an unknown one looks like another's."""
    return get_allowed(ctx, policies.GET_PROJECT, Project, "project", project_id)


def projects_visible(ctx: RequestContext) -> QuerySet[Project]:
    """Return the projects that the caller may list; with a domain's scope those of the domain."""
    authorize(ctx, policies.LIST_PROJECTS, domain_target(ctx))
    return in_domain(Project.objects.all(), ctx)


def projects_of_user(ctx: RequestContext, user_id: str) -> QuerySet[Project]:
    """Return the projects in which a user holds a role, to himself or to who may look after him."""
    user = get_allowed(ctx, policies.LIST_USER_PROJECTS, User, "user", user_id)
    return contexts.usable_projects(user.pk)


def own_projects(ctx: RequestContext) -> QuerySet[Project]:
    """Return the projects that the caller can work in."""
    authorize(ctx, policies.GET_AUTH_PROJECTS)
    return contexts.usable_projects(ctx.user_id or "")


def projects_of(user: Any) -> QuerySet[Project]:
    """Return the projects that a signed-in user can work in, for the pages."""
    return contexts.usable_projects(user.pk)


def get_domain(ctx: RequestContext, domain_id: str) -> Domain:
    """Return a domain."""
    return get_allowed(ctx, policies.GET_DOMAIN, Domain, "domain", domain_id)


def domains_visible(ctx: RequestContext) -> QuerySet[Domain]:
    """Return the domains that the caller may list."""
    authorize(ctx, policies.LIST_DOMAINS, domain_target(ctx))
    return Domain.objects.filter(pk=ctx.domain_id) if ctx.domain_id else Domain.objects.all()


def own_domains(ctx: RequestContext) -> QuerySet[Domain]:
    """Return the domains on which the caller holds a role."""
    authorize(ctx, policies.GET_AUTH_DOMAINS)
    held = Assignment.objects.filter(contexts.given_to(ctx.user_id or ""), domain__isnull=False, inherited=False)
    return Domain.objects.filter(pk__in=held.values("domain_id"), enabled=True)


def holds_system_role(ctx: RequestContext) -> bool:
    """Return whether the caller holds a role on the system."""
    authorize(ctx, policies.GET_AUTH_SYSTEM)
    return Assignment.objects.filter(contexts.on_system(), contexts.given_to(ctx.user_id or "")).exists()
