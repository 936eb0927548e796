"""Roles given to users, and taken away."""

from dataclasses import dataclass
from typing import Any

from accounts import policies
from accounts.models import Assignment, Domain, Project, Role, User
from accounts.models.assignment import TargetType
from portal.core.context import RequestContext
from portal.core.errors import Forbidden, NotFound
from portal.core.policy import authorize


@dataclass(frozen=True)
class Place:
    """Where a role is held: on a project, on a domain, or on the system when both are None."""

    project: Project | None = None
    domain: Domain | None = None

    @property
    def target_type(self) -> TargetType:
        if self.project is not None:
            return TargetType.PROJECT
        return TargetType.DOMAIN if self.domain is not None else TargetType.SYSTEM

    @property
    def is_system(self) -> bool:
        return self.target_type == TargetType.SYSTEM

    @property
    def name(self) -> str:
        """The id of the target, or the word ``system``."""
        where = self.project or self.domain
        return str(where.pk) if where is not None else "system"

    def columns(self) -> dict[str, Any]:
        """Return the place as columns of an assignment."""
        return {"target_type": self.target_type, "project": self.project, "domain": self.domain, "inherited": False}


def grant(*, ctx: RequestContext, user: User, role: Role, place: Place) -> None:
    """Give a role; giving it again changes nothing."""
    rule = policies.CREATE_SYSTEM_GRANT if place.is_system else policies.CREATE_GRANT
    authorize(ctx, rule, target_of(user, place, role))
    owner = place.project.domain_id if place.project else place.name
    if role.domain_id is not None and role.domain_id != owner:
        raise Forbidden(f"Project {place.name} must be in the same domain as the role {role.pk} being assigned.")
    Assignment.objects.get_or_create(user=user, role=role, **place.columns())


def withdraw(*, ctx: RequestContext, user: User, role: Role, place: Place) -> None:
    """Take a role away; raises NotFound when it is not held."""
    rule = policies.REVOKE_SYSTEM_GRANT if place.is_system else policies.REVOKE_GRANT
    authorize(ctx, rule, target_of(user, place, role))
    if not Assignment.objects.filter(user=user, role=role, **place.columns()).delete()[0]:
        raise not_held(user, role, place)


def check(*, ctx: RequestContext, user: User, role: Role, place: Place) -> None:
    """Return when the role is held itself, not only implied; raises NotFound otherwise."""
    rule = policies.CHECK_SYSTEM_GRANT if place.is_system else policies.CHECK_GRANT
    authorize(ctx, rule, target_of(user, place, role))
    if not Assignment.objects.filter(user=user, role=role, **place.columns()).exists():
        raise not_held(user, role, place)


def held(*, ctx: RequestContext, user: User, place: Place) -> list[Role]:
    """Return the roles that a user holds in a place, by name."""
    authorize(ctx, policies.LIST_SYSTEM_GRANTS if place.is_system else policies.LIST_GRANTS, target_of(user, place))
    rows = Assignment.objects.filter(user=user, **place.columns())
    return list(Role.objects.filter(pk__in=rows.values("role_id")).order_by("name"))


def target_of(user: User, place: Place, role: Role | None = None) -> dict[str, Any]:
    """Return what rules about grants speak of."""
    parts = [part.policy_target() for part in (user, role, place.project) if part is not None]
    merged = {key: value for part in parts for key, value in part.items() if value is not None}
    return merged | ({"target.domain.id": place.domain.pk} if place.domain else {})


def not_held(user: User, role: Role, place: Place) -> NotFound:
    """Return the sentence for a role that is not held."""
    return NotFound(
        "role assignment",
        role.pk,
        f"Could not find role assignment with role: {role.pk}, user or group: {user.pk}, "
        f"project, domain, or system: {place.name}.",
    )
