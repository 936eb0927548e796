"""What the extra specs of flavors may be called and say, from 2.86 on (compute configuration guide, "Extra Specs")."""

from compute.virt import hardware
from portal.core.errors import BadRequest


def require_valid(name: str, value: str) -> None:
    """Raise BadRequest for a value that the spec cannot have, and for a name that its namespace does not know."""
    try:
        hardware.check_spec(name, value)
    except hardware.Refused as error:
        raise BadRequest(f"Validation failed; {error}") from error
