"""Keypairs as the compute API shows them (compute API reference, "Keypairs")."""

from typing import Any

from compute.api.v2_1 import versions
from compute.api.v2_1.presenters.servers import microsecond
from compute.models import Keypair
from portal.core.versions import Version


def listed(keypair: Keypair, version: Version) -> dict[str, Any]:
    """Return the keypair as the list shows it."""
    body = {"name": keypair.name, "public_key": keypair.public_key, "fingerprint": keypair.fingerprint}
    if version >= versions.KEYPAIR_TYPE:
        body["type"] = keypair.type
    return {"keypair": body}


def created(keypair: Keypair, version: Version, private_key: str | None) -> dict[str, Any]:
    """Return a new keypair, with the private half if we made it."""
    body = listed(keypair, version)
    body["keypair"]["user_id"] = keypair.user_id
    if private_key is not None:
        body["keypair"]["private_key"] = private_key
    return body


def detail(keypair: Keypair, version: Version) -> dict[str, Any]:
    """Return the whole document."""
    body = listed(keypair, version)
    body["keypair"] |= {
        "user_id": keypair.user_id,
        "id": keypair.pk,
        "created_at": microsecond(keypair.created_at),
        "updated_at": None,
        "deleted": False,
        "deleted_at": None,
    }
    return body
