"""Trusts: given, handed on, used and taken back.

One that was redelegated lends what the first trustor of its chain holds, never more than any link allows, and goes with the link
that it hangs on. Whoever acts by a trust reaches that one and those that he made of it; application credentials and EC2 keys reach
none: they could make trusts that outlive them.
"""

import logging
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import holdings, policies, selectors
from accounts.models import Project, Role, Trust, User
from accounts.services.lending import refuse_past, roles_meant
from accounts.services.writing import storing
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Forbidden, NotFound
from portal.core.policy import Rule, allowed, authorize

LOG = logging.getLogger(__name__)

MAX_REDELEGATIONS = 3


def visible(ctx: RequestContext, *, trustor_id: str | None = None, trustee_id: str | None = None) -> QuerySet[Trust]:
    """Return trusts: all of them, or those that a user gave or was given."""
    if trustor_id:
        authorize(ctx, policies.LIST_TRUSTS_FOR_TRUSTOR, {"target.trust.trustor_user_id": trustor_id})
    elif trustee_id:
        authorize(ctx, policies.LIST_TRUSTS_FOR_TRUSTEE, {"target.trust.trustee_user_id": trustee_id})
    else:
        authorize(ctx, policies.LIST_TRUSTS)
    _refuse_credentials(ctx)
    if ctx.trust_id:
        raise Forbidden(_("You are not authorized to perform the requested action: list trusts by a trust."))
    wanted = {"trustor_id": trustor_id, "trustee_id": trustee_id}
    return Trust.objects.filter(**{column: value for column, value in wanted.items() if value})


def get(ctx: RequestContext, trust_id: str, rule: Rule = policies.GET_TRUST) -> Trust:
    """Return a trust that can still be used; to whom it does not concern it is simply not found."""
    row = _usable().filter(pk=trust_id).prefetch_related("roles").first()
    if row is None or not allowed(ctx, rule, row):
        raise _not_found(trust_id)
    _refuse_credentials(ctx)
    if ctx.trust_id and ctx.trust_id not in (row.pk, row.redelegated_from_id):
        raise Forbidden(_("You are not authorized to perform the requested action: see a trust by another one."))
    return row


def create(
    *,
    ctx: RequestContext,
    trustor_user_id: str,
    trustee_user_id: str,
    impersonation: bool,
    project_id: str | None = None,
    roles: list[dict[str, str]] | None = None,
    expires_at: datetime | None = None,
    remaining_uses: int | None = None,
    allow_redelegation: bool = False,
    redelegation_count: int | None = None,
    extra: dict[str, Any] | None = None,
) -> Trust:
    """Return a new trust of the caller; by a trust's own token it is handed on, within what that one allows."""
    authorize(ctx, policies.CREATE_TRUST, {"target.trust.trustor_user_id": trustor_user_id})
    _refuse_credentials(ctx)
    if ctx.user_id != trustor_user_id:
        raise Forbidden(
            _("You are not authorized to perform the requested action: The authenticated user should match the trustor..")
        )
    refuse_past(expires_at)
    source = _found(ctx.trust_id) if ctx.trust_id else None
    lent = _lent(trustor_user_id, project_id, roles or [], source)
    row = Trust(
        trustor_id=trustor_user_id,
        trustee=selectors.find(User, "user", trustee_user_id),
        project=selectors.find(Project, "project", project_id) if project_id else None,
        impersonation=impersonation,
        expires_at=expires_at,
        remaining_uses=remaining_uses,
        redelegation_count=_depth(allow_redelegation, redelegation_count, source),
        extra=extra or {},
    )
    _check_uses(row)
    if source is not None:
        _hang(row, source)
    with storing(_("Conflict occurred attempting to store trust - Duplicate entry..")):
        row.save(force_insert=True)
        row.roles.set(lent)
    LOG.info("User %s gave trust %s to user %s", trustor_user_id, row.pk, trustee_user_id)
    return row


def delete(*, ctx: RequestContext, trust_id: str) -> None:
    """Take a trust back, with all that were made of it; every token by them ends."""
    row = _found(trust_id)
    if not allowed(ctx, policies.GET_TRUST, row):
        raise _not_found(trust_id)
    authorize(ctx, policies.DELETE_TRUST, row)
    _refuse_credentials(ctx)
    if ctx.trust_id and ctx.trust_id != row.redelegated_from_id:
        raise Forbidden(_("You are not authorized to perform the requested action: take back a trust by another one."))
    row.delete()


def consume(trust: Trust) -> bool:
    """Use up one use of a trust; False when none is left.

    One UPDATE carries both the test and the change, so the last use is given once.
    """
    if trust.remaining_uses is None:
        return True
    left = Trust.objects.filter(pk=trust.pk, remaining_uses__gt=0)
    return left.update(remaining_uses=F("remaining_uses") - 1) == 1


def _usable() -> QuerySet[Trust]:
    return Trust.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=timezone.now()), Q(remaining_uses=None) | Q(remaining_uses__gt=0)
    )


def _found(trust_id: str) -> Trust:
    row = Trust.objects.filter(pk=trust_id).prefetch_related("roles").first()
    if row is None:
        raise _not_found(trust_id)
    return row


def _not_found(trust_id: str) -> NotFound:
    return NotFound("trust", trust_id, _("Could not find trust: %(trust)s.") % {"trust": trust_id})


def _refuse_credentials(ctx: RequestContext) -> None:
    if ctx.application_credential_id or (ctx.restricted and not ctx.trust_id):
        raise Forbidden(
            _(
                "You are not authorized to perform the requested action: "
                "manage trusts with a credential that stands for its user."
            )
        )


def _lent(trustor_id: str, project_id: str | None, wanted: list[dict[str, str]], source: Trust | None) -> list[Role]:
    """Return the roles to lend, which the trustor holds in the project or the source lends there."""
    if project_id and not wanted:
        raise Forbidden(_("You are not authorized to perform the requested action: At least one role should be specified.."))
    meant = roles_meant(wanted)
    if source is not None:
        if project_id != source.project_id or not set(meant) <= set(source.roles.all()):
            raise Forbidden(_("Some of requested roles are not in redelegated trust"))
        return meant
    held = holdings.roles(holdings.PROJECT, user_id=trustor_id, scope_id=project_id) if project_id else []
    missing = next((role for role in meant if role not in held), None)
    if missing is not None:
        raise NotFound("role", missing.pk, _("Could not find role: %(role)s.") % {"role": missing.pk})
    return meant


def _depth(allow: bool, count: int | None, source: Trust | None) -> int:
    """Return how many times more a new trust may be handed on."""
    most = MAX_REDELEGATIONS
    if source is not None:
        if not 0 < source.redelegation_count <= MAX_REDELEGATIONS:
            raise Forbidden(
                _("Remaining redelegation depth of %(count)s out of allowed range of [0..%(most)s]")
                % {"count": source.redelegation_count, "most": MAX_REDELEGATIONS}
            )
        most = source.redelegation_count - 1
    if not allow or count == 0:
        return 0
    if count is None:
        return most
    if source is not None and count != most:
        raise Forbidden(
            _('Modifying "redelegation_count" upon redelegation is forbidden. Omitting this parameter is advised.')
        )
    if count > most:
        raise Forbidden(
            _("Requested redelegation depth of %(count)s is greater than allowed %(most)s") % {"count": count, "most": most}
        )
    return count


def _check_uses(row: Trust) -> None:
    if row.redelegation_count and row.remaining_uses is not None:
        raise BadRequest(_("remaining_uses must not be set if redelegation is allowed"))


def _hang(row: Trust, source: Trust) -> None:
    """Hang a new trust on the one that it is made of; raises Forbidden where it would reach further."""
    if row.remaining_uses is not None:
        raise Forbidden(_('Field "remaining_uses" must not be set in order to redelegate a trust'))
    if row.impersonation and not source.impersonation:
        raise Forbidden(_("Impersonation is not allowed because redelegated trust does not specify impersonation."))
    if source.expires_at is not None:
        row.expires_at = row.expires_at or source.expires_at
        if row.expires_at > source.expires_at:
            raise Forbidden(_("Requested expiration time is more than redelegated trust can provide"))
    row.redelegated_from = source
