"""The password of a guest's administrator, on its way from whoever chose it to the guest's config drive.

Rows, queues and messages hold it sealed with the installation's key; the host opens it when it writes the drive.
"""

import secrets

from compute.virt.errors import DriverError
from portal.core import signing

_PURPOSE = "admin-password"
_LIFE_S = 86_400  # longer than any operation may take
_BYTES = 9


def new() -> str:
    """Return a password for a guest whose owner named none."""
    return secrets.token_urlsafe(_BYTES)


def sealed(key: bytes, password: str) -> str:
    """Return the password as only the holders of the key can read it; none stays none."""
    return signing.seal(key, _PURPOSE, {"password": password}) if password else ""


def opened(key: bytes, sealed: str) -> str:
    """Return the password; raises DriverError when it cannot be read any more."""
    if not sealed:
        return ""
    try:
        return str(signing.unseal(key, _PURPOSE, sealed, _LIFE_S)["password"])
    except signing.BadTicket as error:
        raise DriverError("The password that was chosen for the guest cannot be read any more.") from error
