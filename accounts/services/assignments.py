"""Roles given to users and groups, and taken away."""

from dataclasses import dataclass
from typing import Any

from accounts import policies
from accounts.models import Assignment, Domain, Group, Project, Role, User
from accounts.services import shares
from portal.core.context import RequestContext
from portal.core.errors import Forbidden, NotFound
from portal.core.policy import Rule, authorize

Actor = User | Group


@dataclass(frozen=True)
class Place:
    """Where a role is held: on a project, on a domain, or on the system when both are None.

    An ``inherited`` one acts on the projects below the project or domain, not on that itself (OS-INHERIT).
    """

    project: Project | None = None
    domain: Domain | None = None
    inherited: bool = False

    @property
    def is_system(self) -> bool:
        return self.project is None and self.domain is None

    @property
    def name(self) -> str:
        """The id of the target, or the word ``system``."""
        where = self.project or self.domain
        return str(where.pk) if where is not None else "system"

    def columns(self) -> dict[str, Any]:
        """Return the place as columns of an assignment."""
        return {
            "project": self.project,
            "domain": self.domain,
            "system": self.is_system or None,
            "inherited": self.inherited,
        }


def grant(*, ctx: RequestContext, actor: Actor, role: Role, place: Place) -> None:
    """Give a role; giving it again changes nothing."""
    _authorize(ctx, "create", actor, place, role)
    owner = place.project.domain_id if place.project else place.name
    if role.domain_id is not None and role.domain_id != owner:
        raise Forbidden(f"Project {place.name} must be in the same domain as the role {role.pk} being assigned.")
    Assignment.objects.get_or_create(**_columns(actor), role=role, **place.columns())


def withdraw(*, ctx: RequestContext, actor: Actor, role: Role, place: Place) -> None:
    """Take a role away; raises NotFound when it is not held."""
    _authorize(ctx, "revoke", actor, place, role)
    if not Assignment.objects.filter(**_columns(actor), role=role, **place.columns()).delete()[0]:
        raise not_held(actor, role, place)
    shares.end_for_leavers()


def check(*, ctx: RequestContext, actor: Actor, role: Role, place: Place) -> None:
    """Return when the role is held itself, not only implied; raises NotFound otherwise."""
    _authorize(ctx, "check", actor, place, role)
    if not Assignment.objects.filter(**_columns(actor), role=role, **place.columns()).exists():
        raise not_held(actor, role, place)


def held(*, ctx: RequestContext, actor: Actor, place: Place) -> list[Role]:
    """Return the roles that a user or group was given in a place, by name."""
    _authorize(ctx, "list", actor, place)
    rows = Assignment.objects.filter(**_columns(actor), **place.columns())
    return list(Role.objects.filter(pk__in=rows.values("role_id")).order_by("name"))


_RULES = {
    "create": (policies.CREATE_GRANT, policies.CREATE_SYSTEM_GRANT, policies.CREATE_SYSTEM_GRANT_FOR_GROUP),
    "revoke": (policies.REVOKE_GRANT, policies.REVOKE_SYSTEM_GRANT, policies.REVOKE_SYSTEM_GRANT_FOR_GROUP),
    "check": (policies.CHECK_GRANT, policies.CHECK_SYSTEM_GRANT, policies.CHECK_SYSTEM_GRANT_FOR_GROUP),
    "list": (policies.LIST_GRANTS, policies.LIST_SYSTEM_GRANTS, policies.LIST_SYSTEM_GRANTS_FOR_GROUP),
}


def _authorize(ctx: RequestContext, verb: str, actor: Actor, place: Place, role: Role | None = None) -> None:
    somewhere, for_user, for_group = _RULES[verb]
    rule: Rule = somewhere
    if place.is_system:
        rule = for_group if isinstance(actor, Group) else for_user
    authorize(ctx, rule, target_of(actor, place, role))


def target_of(actor: Actor, place: Place, role: Role | None = None) -> dict[str, Any]:
    """Return what rules about grants speak of."""
    parts = [part.policy_target() for part in (actor, role, place.project) if part is not None]
    merged = {key: value for part in parts for key, value in part.items() if value is not None}
    if role is not None:
        merged["target.role.domain_id"] = role.domain_id  # rules name the None of a role of the whole cloud
    return merged | ({"target.domain.id": place.domain.pk} if place.domain else {})


def _columns(actor: Actor) -> dict[str, Any]:
    return {"group": actor, "user": None} if isinstance(actor, Group) else {"user": actor, "group": None}


def not_held(actor: Actor, role: Role, place: Place) -> NotFound:
    """Return the sentence for a role that is not held."""
    return NotFound(
        "role assignment",
        role.pk,
        f"Could not find role assignment with role: {role.pk}, user or group: {actor.pk}, "
        f"project, domain, or system: {place.name}.",
    )
