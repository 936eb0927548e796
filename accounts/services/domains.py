"""Domains: made, changed, deleted."""

from typing import Any

from accounts import policies
from accounts.models import Domain, Group, Project, Role, User
from accounts.services import projects
from accounts.services.writing import change, named, refuse_immutable, storing
from portal.core.context import RequestContext
from portal.core.errors import Conflict, Forbidden
from portal.core.policy import authorize


def create(*, ctx: RequestContext, name: str, explicit_domain_id: str | None = None, **values: Any) -> Domain:
    """Return a new domain; with ``explicit_domain_id`` under this id, which no project may have either."""
    authorize(ctx, policies.CREATE_DOMAIN)
    domain = Domain(name=name)
    if explicit_domain_id is not None:
        domain.pk = explicit_domain_id
        if any(model._default_manager.filter(pk=domain.pk).exists() for model in (Domain, Project)):
            raise Conflict(f"Conflict occurred attempting to store domain - Duplicate ID, {domain.pk}.")
    change(domain, values)
    with storing("domain", named(name)):
        domain.save(force_insert=True)
    return domain


def update(*, ctx: RequestContext, domain: Domain, **changes: Any) -> Domain:
    """Change a domain; nobody of a disabled one can sign in, and nobody can work in its projects."""
    authorize(ctx, policies.UPDATE_DOMAIN, domain)
    refuse_immutable("domain", domain, "update", changes)
    change(domain, changes)
    with storing("domain", named(domain.name)):
        domain.save()
    return domain


def delete(*, ctx: RequestContext, domain: Domain) -> None:
    """Delete a disabled domain with its users, projects and roles."""
    authorize(ctx, policies.DELETE_DOMAIN, domain)
    refuse_immutable("domain", domain, "delete")
    if domain.enabled:
        raise Forbidden("Cannot delete a domain that is enabled, please disable it first.")
    with storing("domain", "it is still in use"):
        projects.forget(list(domain.projects.values_list("pk", flat=True)))
        User.objects.filter(domain=domain).delete()
        Group.objects.filter(domain=domain).delete()
        Project.objects.filter(domain=domain).update(parent=None)
        Project.objects.filter(domain=domain).delete()
        Role.objects.filter(domain=domain).delete()
        domain.delete()
