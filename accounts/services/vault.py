"""What credentials hold, sealed at rest with keys of their own."""

import logging

from django.utils.translation import gettext as _

from accounts.models import Credential
from accounts.services import keys
from portal.core.errors import Conflict, Unavailable

LOG = logging.getLogger(__name__)


def seal(secret: str) -> str:
    """Return a secret as a row may keep it."""
    return keys.CREDENTIALS.seal(secret.encode())


def unseal(credential: Credential) -> str:
    """Return the secret of a credential; raises Unavailable when the key that sealed it is gone."""
    try:
        return keys.CREDENTIALS.unseal(credential.sealed).decode()
    except keys.InvalidToken as error:
        LOG.error("Credential %s cannot be opened: no key fits", credential.pk)
        raise Unavailable(_("The credential cannot be opened: its key is missing.")) from error


def rotate() -> None:
    """Let the next key seal; raises Conflict while a credential is sealed with a former key, which could then be dropped."""
    if _stale():
        raise Conflict(_("Some credentials are sealed with a former key: run migrate first."))
    keys.CREDENTIALS.rotate()


def migrate() -> int:
    """Seal anew with the present key what a former one sealed; return how many. A secret changed meanwhile is left alone."""
    count = 0
    for row in _stale():
        count += Credential.objects.filter(pk=row.pk, sealed=row.sealed).update(sealed=seal(unseal(row)))
    return count


def _stale() -> list[Credential]:
    primary = keys.CREDENTIALS.primary()
    rows = Credential.objects.only("pk", "sealed").order_by("pk")
    return [row for row in rows if not keys.opens(primary, row.sealed)]
