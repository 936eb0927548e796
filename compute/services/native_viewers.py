"""Displays for viewers that are no browsers: they can show a token nowhere but as a password of eight letters.

The password is worked out from the digest of the token and a key of the installation, so that nothing more need be kept, and it is
spent together with the token.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from django.conf import settings
from django.utils.translation import gettext as _

from compute.services import consoles
from compute.services.console_places import public_name
from portal.core import bus
from portal.core.errors import Forbidden

_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_LENGTH = 8
_PURPOSE = b"password of a native viewer "
MOST = 500


@dataclass(frozen=True)
class ViewerAccess:
    """All that somebody types into a viewer."""

    host: str
    port: int
    password: str
    server_name: str
    expires_at: datetime


def access_of(token: str) -> ViewerAccess:
    """Return how to connect with a token that was not used yet; raises Forbidden."""
    row = consoles.living(consoles.NATIVE).filter(digest=consoles.digest_of(token)).select_related("server").first()
    if row is None:
        raise Forbidden(_("The console address is not valid any more."))
    return ViewerAccess(public_name(), settings.VIEWER_PORT, password_of(row.digest), row.server.name, row.expires_at)


def digest_behind(challenge: bytes, response: bytes) -> str | None:
    """Return the digest of the token whose password a viewer answered a challenge with.

    Of too many that could be meant, only the newest count.
    """
    digests = consoles.living(consoles.NATIVE).order_by("-pk").values_list("digest", flat=True)[:MOST]
    for digest in digests:
        if hmac.compare_digest(answer(password_of(digest), challenge), response):
            return digest
    return None


def answer(password: str, challenge: bytes) -> bytes:
    """Return what a viewer that knows the password answers: the challenge under DES, its key's bits in the other order."""
    key = bytes(int(f"{sign:08b}"[::-1], 2) for sign in password.encode().ljust(8, b"\0")[:8])
    return Cipher(TripleDES(key * 3), modes.ECB()).encryptor().update(challenge)  # noqa: S305  RFB knows no other


def password_of(digest: str) -> str:
    """Return the password that goes with a token."""
    number = int.from_bytes(hmac.digest(bus.queue_key(), _PURPOSE + digest.encode(), "sha256"), "big")
    letters = []
    for _each in range(_LENGTH):
        number, place = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[place])
    return "".join(letters)
