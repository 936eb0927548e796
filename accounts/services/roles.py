"""Roles: made, changed, deleted, and which implies which."""

from typing import Any

from accounts import policies, selectors
from accounts.models import Domain, ImpliedRole, Role
from accounts.services import shares
from accounts.services.writing import change, conflict, named, refuse_immutable, storing
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Forbidden, NotFound
from portal.core.policy import authorize

NEVER_IMPLIED = "admin"


def create(*, ctx: RequestContext, name: str, domain_id: str | None = None, **values: Any) -> Role:
    """Return a new role, of the whole cloud or of one domain."""
    authorize(ctx, policies.CREATE_DOMAIN_ROLE if domain_id else policies.CREATE_ROLE)
    role = Role(name=name, domain=selectors.find(Domain, "domain", domain_id) if domain_id else None)
    change(role, values)
    with storing(conflict("role", named(name, domain_id))):
        role.save(force_insert=True)
    return role


def update(*, ctx: RequestContext, role: Role, **changes: Any) -> Role:
    """Change a role."""
    authorize(ctx, policies.UPDATE_DOMAIN_ROLE if role.domain_id else policies.UPDATE_ROLE, role)
    refuse_immutable("role", role, "update", changes)
    if changes.pop("domain_id", role.domain_id) != role.domain_id:
        raise BadRequest("Cannot change Domain ID.")
    change(role, changes)
    with storing(conflict("role", named(role.name, role.domain_id))):
        role.save()
    return role


def delete(*, ctx: RequestContext, role: Role) -> None:
    """Delete a role; whoever held it holds it no more."""
    authorize(ctx, policies.DELETE_DOMAIN_ROLE if role.domain_id else policies.DELETE_ROLE, role)
    refuse_immutable("role", role, "delete")
    role.delete()
    shares.end_for_leavers()


def imply(*, ctx: RequestContext, prior: Role, implied: Role) -> ImpliedRole:
    """Let whoever holds ``prior`` hold ``implied`` too."""
    authorize(ctx, policies.CREATE_IMPLIED_ROLE)
    if implied.name == NEVER_IMPLIED:
        raise Forbidden(f"{NEVER_IMPLIED} cannot be an implied roles")
    if implied.domain_id is not None and prior.domain_id is None:
        raise Forbidden("A role of the whole cloud cannot imply one of a domain.")
    if prior.pk == implied.pk:
        raise BadRequest("A role cannot imply itself.")
    return ImpliedRole.objects.get_or_create(prior=prior, implied=implied)[0]


def end_implication(*, ctx: RequestContext, prior: Role, implied: Role) -> None:
    """End an implication; raises NotFound when there is none."""
    authorize(ctx, policies.DELETE_IMPLIED_ROLE)
    if not ImpliedRole.objects.filter(prior=prior, implied=implied).delete()[0]:
        raise NotFound("implied_role", "", f"{prior.pk} does not imply {implied.pk}")
