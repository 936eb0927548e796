"""Users: made, changed, deleted."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import policies, selectors
from accounts.models import Domain, User
from accounts.services import passwords, sessions
from accounts.services.writing import change, storing
from portal.core.context import RequestContext
from portal.core.errors import BadRequest
from portal.core.policy import authorize


def create(
    *, ctx: RequestContext, name: str, domain_id: str | None = None, password: str | None = None, **values: Any
) -> User:
    """Return a new user; without a password he cannot sign in."""
    domain_id = domain_id or selectors.home_domain(ctx)
    authorize(ctx, policies.CREATE_USER, {"target.user.domain_id": domain_id})
    user = User(name=name, domain=_domain(domain_id))
    _refuse_domain_as_project(values)
    change(user, values)
    passwords.put(user, password)
    with storing(_clash(name, domain_id)):
        user.save(force_insert=True)
    return user


def update(*, ctx: RequestContext, user: User, **changes: Any) -> User:
    """Change a user. A new password and disabling end every token he has."""
    authorize(ctx, policies.UPDATE_USER, user)
    if changes.pop("domain_id", user.domain_id) != user.domain_id:
        raise BadRequest(_("Cannot change Domain ID."))
    password_given = "password" in changes
    password = changes.pop("password", None)
    _refuse_domain_as_project(changes)
    change(user, changes)
    if changes.get("enabled") is False:
        user.tokens_valid_from = timezone.now()
    with storing(_clash(user.name, user.domain_id)):
        user.save()
        if password_given:
            passwords.reset(user, password)
        elif not user.enabled:
            sessions.end_all(user=user)
    return user


def delete(*, ctx: RequestContext, user: User) -> None:
    """Delete a user with his assignments and what was shared with him."""
    authorize(ctx, policies.DELETE_USER, user)
    user.delete()


def set_password(user: User, password: str) -> bool:
    """Give a user a password and end his tokens and sessions; nothing happens, and False comes back, when he has it already.

    For who installs the cloud: the rules that passwords follow are not asked.
    """
    if user.check_password(password):
        return False
    user.set_password(password)
    user.password_expires_at = None
    user.save(update_fields=["password", "password_changed_at", "password_expires_at", "tokens_valid_from"])
    return True


def _refuse_domain_as_project(values: dict[str, Any]) -> None:
    """Raise BadRequest for a domain as default project: nobody works in it. One that is not there yet may be named."""
    named = values.get("default_project_id")
    if named and Domain.objects.filter(pk=named).exists():
        raise BadRequest(_("User's default project ID cannot be a domain ID: %(id)s") % {"id": named})


def _clash(name: str, domain_id: str) -> str:
    return _(
        "Conflict occurred attempting to store user - Duplicate entry found with name %(name)s at domain ID %(domain)s."
    ) % {"name": name, "domain": domain_id}


def _domain(domain_id: str) -> Domain:
    return selectors.find(Domain, "domain", domain_id)
