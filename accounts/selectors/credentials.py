"""Credentials, consumers and revoked tokens."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import policies
from accounts.models import (
    Consumer,
    Credential,
    RevokedToken,
    User,
)
from accounts.models.credential import EC2, ec2_id
from accounts.selectors.finding import get_allowed
from portal.core.context import RequestContext
from portal.core.errors import Forbidden, NotFound
from portal.core.policy import Rule, allowed, authorize


def refuse_delegated(ctx: RequestContext) -> None:
    """Raise Forbidden for a caller who acts by what was lent to him: what he read or made here would outlive the loan."""
    if ctx.restricted or ctx.application_credential_id or ctx.trust_id:
        raise Forbidden(_("A token got by a delegation does not reach credentials."))


def get_credential(ctx: RequestContext, credential_id: str) -> Credential:
    """Return a credential; to a caller without rights an unknown one looks like another's."""
    row = get_allowed(ctx, policies.GET_CREDENTIAL, Credential, "credential", credential_id)
    refuse_delegated(ctx)
    return row


def credentials_visible(ctx: RequestContext) -> QuerySet[Credential]:
    """Return all credentials to who may see anybody's, else the caller's own."""
    authorize(ctx, policies.LIST_CREDENTIALS, {"target.credential.user_id": ctx.user_id})
    refuse_delegated(ctx)
    everybodys = allowed(ctx, policies.GET_CREDENTIAL, {})
    return Credential.objects.all() if everybodys else Credential.objects.filter(user_id=ctx.user_id)


def ec2_credentials(ctx: RequestContext, user_id: str) -> QuerySet[Credential]:
    """Return the EC2 key pairs of a user."""
    user = get_allowed(ctx, policies.EC2_LIST_CREDENTIALS, User, "user", user_id)
    refuse_delegated(ctx)
    return Credential.objects.filter(user=user, type=EC2)


def ec2_credential(ctx: RequestContext, user_id: str, access: str, rule: Rule) -> Credential:
    """Return an EC2 key pair of a user to whom the rule lets through."""
    authorize(ctx, rule, {"target.credential.user_id": user_id})
    refuse_delegated(ctx)
    row = Credential.objects.filter(pk=ec2_id(access), user_id=user_id, type=EC2).first()
    if row is None:
        raise NotFound("credential", access, _("EC2 access key not found."))
    return row


def consumers_visible(ctx: RequestContext) -> QuerySet[Consumer]:
    """Return the OAuth consumers."""
    authorize(ctx, policies.LIST_CONSUMERS)
    return Consumer.objects.all()


def get_consumer(ctx: RequestContext, consumer_id: str) -> Consumer:
    """Return an OAuth consumer."""
    return get_allowed(ctx, policies.GET_CONSUMER, Consumer, "consumer", consumer_id)


def revocations(ctx: RequestContext, since: datetime | None) -> QuerySet[RevokedToken]:
    """Return the tokens that were taken back one by one, those of a time and after."""
    authorize(ctx, policies.LIST_REVOKE_EVENTS)
    rows = RevokedToken.objects.order_by("revoked_at", "pk")
    return rows if since is None else rows.filter(revoked_at__gte=since)


def users_whose_tokens_ended(ctx: RequestContext, since: datetime | None) -> QuerySet[User]:
    """Return the users all of whose tokens ended at a moment, as long as one of these could still be in use.

    One who was just made is among them: there is no token of his from before, which is true of him as well.
    """
    authorize(ctx, policies.LIST_REVOKE_EVENTS)
    oldest = timezone.now() - timedelta(seconds=settings.TOKEN_LIFETIME_S)
    rows = User.objects.filter(tokens_valid_from__gte=oldest if since is None else max(oldest, since))
    return rows.order_by("tokens_valid_from", "pk").only("pk", "tokens_valid_from")
