"""What a token was lent: by an application credential or by a trust, as it stands now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts import holdings
from accounts.models import ApplicationCredential, Role, Trust, User

APPLICATION_CREDENTIAL, TRUST = "a", "t"


@dataclass(frozen=True)
class Delegation:
    """``lender_id`` is the user whose roles are lent, ``roles`` what was lent at most; ``row`` is the credential or the trust.

    ``people`` are all who stand between the lender and the token: when one of them may not sign in any more, nothing is lent.
    """

    kind: str
    row: Any
    lender_id: str
    project_id: str | None
    roles: list[Role]
    expires_at: datetime | None
    people: tuple[User, ...] = ()

    @property
    def access_rules(self) -> list[Any]:
        """The requests that it is confined to; empty when it is free."""
        return [] if self.kind == TRUST else list(self.row.access_rules.all())

    def accepts_token_from(self, issued_at: datetime) -> bool:
        """Whether a token of that time is still good for everybody in the chain."""
        return all(user.accepts_token_from(issued_at) for user in self.people)

    def of_those(self, held: list[Role]) -> list[Role]:
        """Return those of the lender's roles that were lent, with all that these imply."""
        lent = {role.pk for role in holdings.implied(self.roles)}
        return [role for role in held if role.pk in lent]

    def request(self) -> dict[str, Any]:
        """Return what a request context knows of it."""
        if self.kind == TRUST:
            return {"trust_id": self.row.pk, "trustor_id": self.row.trustor_id, "restricted": True}
        rules = tuple((rule.service, rule.method, rule.path) for rule in self.access_rules)
        return {
            "application_credential_id": self.row.pk,
            "restricted": not self.row.unrestricted,
            "access_rules": rules or None,
        }


def of(kind: str, key: str) -> Delegation | None:
    """Return a delegation, None when it was taken back. Three queries, one more for each time that a trust was handed on.

    Its end is not looked at: no token by it lives longer.
    """
    lent: ApplicationCredential | Trust | None
    if kind == APPLICATION_CREDENTIAL:
        lent = ApplicationCredential.objects.filter(pk=key).prefetch_related("roles", "access_rules").first()
    else:
        lent = Trust.objects.filter(pk=key).prefetch_related("roles").select_related(*_PEOPLE).first()
    return lent_by(lent) if lent is not None else None


def lent_by(row: ApplicationCredential | Trust) -> Delegation:
    """Return the delegation that a credential or a trust is. What a trust lends are the roles of the first trustor of its chain."""
    roles = list(row.roles.all())
    if isinstance(row, ApplicationCredential):
        return Delegation(APPLICATION_CREDENTIAL, row, row.user_id, row.project_id, roles, row.expires_at)
    chain = _chain(row)
    people = tuple(user for link in chain for user in (link.trustor, link.trustee))
    return Delegation(TRUST, row, chain[-1].trustor_id, row.project_id, roles, row.expires_at, people)


_PEOPLE = ("trustor__domain", "trustee__domain")


def _chain(trust: Trust) -> list[Trust]:
    """Return a trust and those that it was redelegated from, the first one last."""
    chain = [trust]
    while chain[-1].redelegated_from_id is not None:
        chain.append(Trust.objects.select_related(*_PEOPLE).get(pk=chain[-1].redelegated_from_id))
    return chain
