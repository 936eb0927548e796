"""Domains: made, changed, deleted."""

from typing import Any

from accounts import policies
from accounts.models import Domain, Group, Project, Role, User
from accounts.services import projects
from accounts.services import tags as domain_tags
from accounts.services.writing import change, conflict, named, refuse_immutable, storing
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Conflict, Forbidden
from portal.core.policy import authorize


def create(
    *, ctx: RequestContext, name: str, explicit_domain_id: str | None = None, tags: list[str] | None = None, **values: Any
) -> Domain:
    """Return a new domain; with ``explicit_domain_id`` under this id, which no project may have either."""
    authorize(ctx, policies.CREATE_DOMAIN)
    domain = Domain(name=name)
    if explicit_domain_id is not None:
        domain.pk = explicit_domain_id
        if any(model._default_manager.filter(pk=domain.pk).exists() for model in (Domain, Project)):
            raise Conflict(f"Conflict occurred attempting to store domain - Duplicate ID, {domain.pk}.")
    change(domain, values)
    with storing(conflict("domain", named(name))):
        domain.save(force_insert=True)
        domain_tags.replace(domain, tags or [])
    return domain


def update(*, ctx: RequestContext, domain: Domain, **changes: Any) -> Domain:
    """Change a domain; nobody of a disabled one can sign in, and nobody can work in its projects."""
    authorize(ctx, policies.UPDATE_DOMAIN, domain)
    refuse_immutable("domain", domain, "update", changes)
    _refuse_place(changes)
    tags = changes.pop("tags", None)
    change(domain, changes)
    with storing(conflict("domain", named(domain.name))):
        domain.save()
        if tags is not None:
            domain_tags.replace(domain, tags)
    return domain


def _refuse_place(changes: dict[str, Any]) -> None:
    """Take off the changes what a project has and a domain has not: a place below something; raises where one is asked for."""
    if changes.pop("domain_id", None) is not None:
        raise BadRequest("Cannot change Domain ID.")
    if changes.pop("parent_id", None) is not None:
        raise Forbidden("Update of `parent_id` is not allowed.")
    if not changes.pop("is_domain", True):
        raise BadRequest("Update of `is_domain` is not allowed.")


def delete(*, ctx: RequestContext, domain: Domain) -> None:
    """Delete a disabled domain with its users, projects and roles."""
    authorize(ctx, policies.DELETE_DOMAIN, domain)
    refuse_immutable("domain", domain, "delete")
    if domain.enabled:
        raise Forbidden("Cannot delete a domain that is enabled, please disable it first.")
    with storing(conflict("domain", "it is still in use")):
        projects.forget(list(domain.projects.values_list("pk", flat=True)))
        User.objects.filter(domain=domain).delete()
        Group.objects.filter(domain=domain).delete()
        Project.objects.filter(domain=domain).update(parent=None)
        Project.objects.filter(domain=domain).delete()
        Role.objects.filter(domain=domain).delete()
        domain.delete()
