"""Application credentials: made and deleted.

What one may do is worked out at each use: the roles that its user holds in the project now, cut to those that it was given. When he
loses them, or he or the project is disabled, it is good for nothing at once. Unlike upstream we do not delete it then: whether roles
came through a group, from above or by implication, there is no one place where the last of them goes; given back, they work again.
"""

import logging
import secrets
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts import holdings, policies
from accounts.hashers import RandomSecretHasher
from accounts.models import AccessRule, ApplicationCredential, Role
from accounts.services import access_rules as rules
from accounts.services.attempts import MAX_PASSWORD
from accounts.services.lending import refuse_past, refuse_restricted, roles_meant
from accounts.services.writing import storing
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Forbidden, NotFound
from portal.core.policy import Rule, authorize

LOG = logging.getLogger(__name__)

SECRET_BYTES = 64


def visible(ctx: RequestContext, user_id: str) -> QuerySet[ApplicationCredential]:
    """Return the application credentials of a user."""
    _authorize(ctx, policies.LIST_APPLICATION_CREDENTIALS, user_id)
    refuse_restricted(ctx)
    return _of_user(user_id)


def get(ctx: RequestContext, user_id: str, key: str) -> ApplicationCredential:
    """Return an application credential of a user; raises NotFound. A restricted one can look at itself alone."""
    _authorize(ctx, policies.GET_APPLICATION_CREDENTIAL, user_id)
    if key != ctx.application_credential_id:
        refuse_restricted(ctx)
    return _found(user_id, key)


def create(
    *,
    ctx: RequestContext,
    user_id: str,
    name: str,
    roles: list[dict[str, str]] | None = None,
    access_rules: list[dict[str, str]] | None = None,
    secret: str | None = None,
    expires_at: datetime | None = None,
    **values: Any,
) -> tuple[ApplicationCredential, str]:
    """Return a new application credential for the caller's project, and its secret, which nobody can read again.

    Without ``roles`` it gets all that the caller has here; without ``access_rules`` it is free to ask for anything, unless the
    caller is confined himself. It may outlive the unrestricted one that makes it, since those are replaced so.
    """
    _authorize(ctx, policies.CREATE_APPLICATION_CREDENTIAL, user_id)
    refuse_restricted(ctx)
    if ctx.user_id != user_id:
        raise Forbidden(
            _(
                "You are not authorized to perform the requested action: "
                "Cannot create an application credential for another user.."
            )
        )
    if ctx.project_id is None:
        raise Forbidden(
            _(
                "You are not authorized to perform the requested action: "
                "Cannot create an application credential without a project's scope.."
            )
        )
    refuse_past(expires_at)
    lent = _roles(ctx, roles or [])
    row = ApplicationCredential(name=name, user_id=user_id, project_id=ctx.project_id, expires_at=expires_at, **values)
    secret, row.secret_hash = _hashed(secret)
    clash = _("Conflict occurred attempting to store application_credential - Duplicate entry found with name %(name)s.")
    with storing(clash % {"name": name}):
        row.save(force_insert=True)
        row.roles.set(lent)
        row.access_rules.set(_confinement(ctx, user_id, access_rules or []))
    LOG.info("User %s made application credential %s for project %s", user_id, row.pk, ctx.project_id)
    return row, secret


def delete(*, ctx: RequestContext, user_id: str, key: str) -> None:
    """Delete an application credential; every token that was got with it ends."""
    _authorize(ctx, policies.DELETE_APPLICATION_CREDENTIAL, user_id)
    refuse_restricted(ctx)
    _found(user_id, key).delete()


def _authorize(ctx: RequestContext, rule: Rule, user_id: str) -> None:
    authorize(ctx, rule, {"user_id": user_id, "target.user.id": user_id})


def _of_user(user_id: str) -> QuerySet[ApplicationCredential]:
    return ApplicationCredential.objects.filter(user_id=user_id).prefetch_related("roles", "access_rules")


def _found(user_id: str, key: str) -> ApplicationCredential:
    row = _of_user(user_id).filter(pk=key).first()
    if row is None:
        raise NotFound("application_credential", key, _("Could not find application credential: %(id)s.") % {"id": key})
    return row


def _roles(ctx: RequestContext, wanted: list[dict[str, str]]) -> list[Role]:
    """Return the roles that are asked for, with those that they imply; never one that the caller does not have himself."""
    held = Role.objects.filter(domain=None, name__in=ctx.roles)
    if not wanted:
        return list(held)
    meant = roles_meant(wanted)
    full = holdings.implied(meant)
    if not {*meant, *full} <= set(held):
        raise BadRequest(_("Invalid application credential: Cannot create an application credential with unassigned role."))
    return full


def _confinement(ctx: RequestContext, user_id: str, wanted: list[dict[str, Any]]) -> list[AccessRule]:
    """Return the access rules that are asked for, new ones made; raises Forbidden for more than the caller has himself."""
    found = [
        rules.of_user(user_id, ref["id"]) if "id" in ref else AccessRule.objects.get_or_create(user_id=user_id, **ref)[0]
        for ref in wanted
    ]
    if ctx.access_rules is not None:
        asked = {(row.service, row.method, row.path) for row in found}
        if not asked or not asked <= set(ctx.access_rules):
            raise Forbidden(
                _(
                    "You are not authorized to perform the requested action: "
                    "give an application credential more access than its maker has."
                )
            )
    return found


def _hashed(secret: str | None) -> tuple[str, str]:
    """Return the secret, a new one if none was chosen, and its hash; what somebody chose costs as much to guess as a password."""
    if secret is None:
        made = secrets.token_urlsafe(SECRET_BYTES)
        return made, make_password(made, hasher=RandomSecretHasher.algorithm)
    if not 0 < len(secret) <= MAX_PASSWORD:
        raise BadRequest(_("A secret must have 1 to %(most)s characters.") % {"most": MAX_PASSWORD})
    return secret, make_password(secret)
