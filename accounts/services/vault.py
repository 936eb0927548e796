"""What credentials hold, sealed at rest with keys of their own."""

import logging
from collections.abc import Iterator

from accounts.models import Credential
from accounts.services import keys
from portal.core.errors import Conflict, Unavailable

LOG = logging.getLogger(__name__)


def seal(blob: str) -> str:
    """Return a secret as a row may keep it."""
    return keys.CREDENTIALS.cipher().encrypt(blob.encode()).decode()


def unseal(credential: Credential) -> str:
    """Return the secret of a credential; raises Unavailable when the key that sealed it is gone."""
    try:
        return keys.CREDENTIALS.cipher().decrypt(credential.sealed.encode()).decode()
    except keys.InvalidToken as error:
        LOG.error("Credential %s cannot be opened: no key fits", credential.pk)
        raise Unavailable("The credential cannot be opened: its key is missing.") from error


def rotate() -> None:
    """Let the next key seal; raises Conflict while a former key is still needed, for it could be dropped."""
    if any(_stale()):
        raise Conflict("Some credentials are sealed with a former key. Run migrate first.")
    keys.CREDENTIALS.rotate()


def migrate() -> int:
    """Seal with the present key whatever a former one sealed; return how many."""
    cipher = keys.CREDENTIALS.cipher()
    count = 0
    for row in _stale():
        renewed = cipher.rotate(row.sealed.encode()).decode()
        count += Credential.objects.filter(pk=row.pk, sealed=row.sealed).update(sealed=renewed)
    return count


def _stale() -> Iterator[Credential]:
    primary = keys.CREDENTIALS.primary()
    for row in Credential.objects.only("pk", "sealed").order_by("pk").iterator():
        try:
            primary.decrypt(row.sealed.encode())
        except keys.InvalidToken:
            yield row
