"""Short-lived sealed tickets between our own processes: image addresses, console relays. No Django.

A ticket is a Fernet token under a key derived from the installation's queue key and the ticket's purpose, so a ticket for one
purpose means nothing for another.
"""

import base64
import json
import secrets
import time
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class BadTicket(Exception):
    """The ticket is forged, for another purpose, or too old."""


@lru_cache(maxsize=16)
def _fernet(key: bytes, purpose: str) -> Fernet:
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"nebulet {purpose}".encode()).derive(key)
    return Fernet(base64.urlsafe_b64encode(derived))


def seal(key: bytes, purpose: str, data: dict[str, Any]) -> str:
    """Return a URL-safe ticket that carries ``data`` for ``purpose``."""
    return _fernet(key, purpose).encrypt(json.dumps(data, separators=(",", ":")).encode()).decode()


def once() -> dict[str, Any]:
    """Return what makes a ticket good once: its own name, and when it was issued, for who forgot the names that came before."""
    return {"nonce": secrets.token_urlsafe(16), "at": time.time()}


def unseal(key: bytes, purpose: str, ticket: str, max_age_s: int) -> dict[str, Any]:
    """Return what was sealed; raises BadTicket."""
    try:
        data: dict[str, Any] = json.loads(_fernet(key, purpose).decrypt(ticket.encode(), ttl=max_age_s))
    except (InvalidToken, ValueError) as error:
        raise BadTicket("The ticket is not valid or has ended.") from error
    return data
