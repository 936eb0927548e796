"""What a token was lent: by an application credential or by a trust, as it stands now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.models import ApplicationCredential, Role, Trust

APPLICATION_CREDENTIAL, TRUST = "a", "t"


@dataclass(frozen=True)
class Delegation:
    """``lender_id`` is the user whose roles are lent, ``roles`` what he lent at most; ``row`` is the credential or the trust."""

    kind: str
    row: Any
    lender_id: str
    project_id: str | None
    roles: list[Role]
    expires_at: datetime | None

    @property
    def alive(self) -> bool:
        """Whether it has not expired."""
        return self.expires_at is None or self.expires_at > timezone.now()

    def request(self) -> dict[str, Any]:
        """Return what a request context knows of it."""
        if self.kind == TRUST:
            return {"trust_id": self.row.pk, "trustor_id": self.row.trustor_id, "restricted": True}
        rules = [(rule.service, rule.method, rule.path) for rule in self.row.access_rules.all()]
        return {
            "application_credential_id": self.row.pk,
            "restricted": not self.row.unrestricted,
            "access_rules": tuple(rules) if rules else None,
        }


def of(kind: str, key: str) -> Delegation | None:
    """Return a delegation, None when it was taken back, its lender may not sign in, or it has expired. Three queries."""
    found = _application_credential(key) if kind == APPLICATION_CREDENTIAL else _trust(key)
    return found if found is not None and found.alive else None


def lent_by(row: ApplicationCredential | Trust) -> Delegation:
    """Return the delegation that a credential or a trust is."""
    if isinstance(row, Trust):
        return Delegation(TRUST, row, row.trustor_id, row.project_id, list(row.roles.all()), row.expires_at)
    return Delegation(APPLICATION_CREDENTIAL, row, row.user_id, row.project_id, list(row.roles.all()), row.expires_at)


def _application_credential(key: str) -> Delegation | None:
    row = ApplicationCredential.objects.filter(pk=key).prefetch_related("roles", "access_rules").first()
    return lent_by(row) if row is not None else None


def _trust(key: str) -> Delegation | None:
    people = ("trustor__enabled", "trustor__domain__enabled", "trustee__enabled", "trustee__domain__enabled")
    row = Trust.objects.filter(pk=key, **dict.fromkeys(people, True)).prefetch_related("roles").first()
    return lent_by(row) if row is not None else None
