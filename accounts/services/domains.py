"""Domains: made, changed, deleted."""

from typing import Any

from accounts import policies
from accounts.models import Domain, Group, Project, Role, User
from accounts.services import projects
from accounts.services.writing import change, named, refuse_immutable, storing
from portal.core.context import RequestContext
from portal.core.errors import Forbidden
from portal.core.policy import authorize


def create(*, ctx: RequestContext, name: str, **values: Any) -> Domain:
    """Return a new domain."""
    authorize(ctx, policies.CREATE_DOMAIN)
    domain = Domain(name=name)
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
