"""Access rules of a user: which requests his application credentials can be confined to. They are made along with those."""

from django.db import IntegrityError, transaction
from django.db.models import QuerySet, RestrictedError
from django.utils.translation import gettext as _

from accounts import policies
from accounts.models import AccessRule
from accounts.services.lending import refuse_restricted
from portal.core.context import RequestContext
from portal.core.errors import Forbidden, NotFound
from portal.core.policy import Rule, authorize


def visible(ctx: RequestContext, user_id: str) -> QuerySet[AccessRule]:
    """Return the access rules of a user."""
    _authorize(ctx, policies.LIST_ACCESS_RULES, user_id)
    return AccessRule.objects.filter(user_id=user_id)


def get(ctx: RequestContext, user_id: str, key: str) -> AccessRule:
    """Return an access rule of a user; raises NotFound."""
    _authorize(ctx, policies.GET_ACCESS_RULE, user_id)
    return of_user(user_id, key)


def delete(*, ctx: RequestContext, user_id: str, key: str) -> None:
    """Delete an access rule; raises Forbidden while an application credential is confined by it."""
    _authorize(ctx, policies.DELETE_ACCESS_RULE, user_id)
    row = of_user(user_id, key)
    try:
        with transaction.atomic():
            row.delete()
    except (RestrictedError, IntegrityError) as error:
        raise Forbidden(_("May not delete access rule in use")) from error


def of_user(user_id: str, key: str) -> AccessRule:
    """Return an access rule of a user without asking a rule; raises NotFound."""
    row = AccessRule.objects.filter(pk=key, user_id=user_id).first()
    if row is None:
        raise NotFound("access_rule", key, _("Could not find access rule: %(id)s.") % {"id": key})
    return row


def _authorize(ctx: RequestContext, rule: Rule, user_id: str) -> None:
    authorize(ctx, rule, {"target.user.id": user_id})
    refuse_restricted(ctx)
