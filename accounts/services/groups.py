"""Groups: made, changed, deleted, and who belongs to them."""

from typing import Any

from accounts import policies, selectors
from accounts.models import Domain, Group, Membership, User
from accounts.services import shares
from accounts.services.writing import change, conflict, named, storing
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, NotFound
from portal.core.policy import authorize


def create(*, ctx: RequestContext, name: str, domain_id: str | None = None, **values: Any) -> Group:
    """Return a new group without members."""
    domain_id = domain_id or selectors.home_domain(ctx)
    authorize(ctx, policies.CREATE_GROUP, {"target.group.domain_id": domain_id})
    group = Group(name=name, domain=selectors.find(Domain, "domain", domain_id))
    change(group, values)
    with storing(conflict("group", named(name, domain_id))):
        group.save(force_insert=True)
    return group


def update(*, ctx: RequestContext, group: Group, **changes: Any) -> Group:
    """Change a group."""
    authorize(ctx, policies.UPDATE_GROUP, group)
    if changes.pop("domain_id", group.domain_id) != group.domain_id:
        raise BadRequest("Cannot change Domain ID.")
    change(group, changes)
    with storing(conflict("group", named(group.name, group.domain_id))):
        group.save()
    return group


def delete(*, ctx: RequestContext, group: Group) -> None:
    """Delete a group; the roles that its members held through it end."""
    authorize(ctx, policies.DELETE_GROUP, group)
    group.delete()
    shares.end_for_leavers()


def add(*, ctx: RequestContext, group: Group, user: User) -> None:
    """Let a user belong to a group; once more changes nothing."""
    authorize(ctx, policies.ADD_USER_TO_GROUP, _target(group, user))
    Membership.objects.get_or_create(group=group, user=user)


def remove(*, ctx: RequestContext, group: Group, user: User) -> None:
    """Let a user belong to a group no more; raises NotFound when he does not."""
    authorize(ctx, policies.REMOVE_USER_FROM_GROUP, _target(group, user))
    if not Membership.objects.filter(group=group, user=user).delete()[0]:
        raise _no_member(group, user)
    shares.end_for_leavers()


def check(*, ctx: RequestContext, group: Group, user: User) -> None:
    """Return when a user belongs to a group; raises NotFound otherwise."""
    authorize(ctx, policies.CHECK_USER_IN_GROUP, _target(group, user))
    if not Membership.objects.filter(group=group, user=user).exists():
        raise _no_member(group, user)


def _target(group: Group, user: User) -> dict[str, Any]:
    return {**user.policy_target(), **group.policy_target()}


def _no_member(group: Group, user: User) -> NotFound:
    return NotFound("user", user.pk, f"Could not find user: {user.pk} in group {group.pk}.")
