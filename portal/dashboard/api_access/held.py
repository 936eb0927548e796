"""What else acts in somebody's name: his EC2 key pairs and other credentials, and the trusts that he gave or was given."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts import selectors
from accounts.models import Credential, Trust
from accounts.models.credential import EC2, TOTP
from accounts.services import credentials, trusts
from portal.core.context import RequestContext
from portal.core.errors import CloudError, Forbidden, NotFound


@dataclass(frozen=True)
class CredentialLine:
    """A credential as it stands on a page: an EC2 key pair by its access key, another by its type. Never with its secret."""

    row: Credential
    pk: str  # which the row has no more once it is deleted

    @property
    def name(self) -> str:
        return self.access or f"{self.row.type} {self.pk[:8]}"

    @property
    def access(self) -> str:
        """The access key of an EC2 key pair; empty for another credential, and for one that cannot be opened."""
        try:
            return credentials.ec2_pair(self.row).access if self.row.type == EC2 else ""
        except CloudError:
            return ""

    def policy_target(self) -> dict[str, Any]:
        return self.row.policy_target()


@dataclass(frozen=True)
class TrustLine:
    """A trust as one of its two people sees it."""

    row: Trust
    given: bool

    @property
    def pk(self) -> str:
        return self.row.pk

    @property
    def name(self) -> str:
        if self.given:
            return _("the trust given to %(name)s") % {"name": self.row.trustee.name}
        return _("the trust received from %(name)s") % {"name": self.row.trustor.name}

    def policy_target(self) -> dict[str, Any]:
        return self.row.policy_target()


def credential_lines(ctx: RequestContext) -> list[CredentialLine]:
    """Return the caller's own credentials; none where a rule closes them."""
    try:
        return [CredentialLine(row, row.pk) for row in _credentials(ctx).order_by("type", "created_at", "pk")]
    except Forbidden:
        return []


def trust_lines(ctx: RequestContext) -> list[TrustLine]:
    """Return the trusts that the caller gave and those that he was given; none where a rule closes them."""
    try:
        return [TrustLine(row, row.trustor_id == ctx.user_id) for row in _trusts(ctx)]
    except Forbidden:
        return []


def find_credential(ctx: RequestContext, pk: str) -> CredentialLine:
    """Return a credential of the caller's own; any other is not found."""
    row = _credentials(ctx).filter(pk=pk).first()
    if row is None:
        raise NotFound("credential", pk)
    return CredentialLine(row, row.pk)


def find_trust(ctx: RequestContext, pk: str) -> TrustLine:
    """Return a trust that the caller gave or was given; any other is not found."""
    row = _trusts(ctx).filter(pk=pk).first()
    if row is None:
        raise NotFound("trust", pk)
    return TrustLine(row, row.trustor_id == ctx.user_id)


def _credentials(ctx: RequestContext) -> QuerySet[Credential]:
    """The second factor is left out: it is turned off with the password, on the page of the account."""
    rows = selectors.credentials_visible(ctx).filter(user_id=ctx.user_id)
    return rows.exclude(type=TOTP).select_related("project")


def _trusts(ctx: RequestContext) -> QuerySet[Trust]:
    rows = trusts.visible(ctx, trustor_id=ctx.user_id) | trusts.visible(ctx, trustee_id=ctx.user_id)
    return rows.select_related("trustor", "trustee", "project").prefetch_related("roles")
