"""What each action that needs nothing but the guest asks of a driver, and secrets that came sealed."""

from collections.abc import Callable

from compute.messages import PASSWORD_PURPOSE
from compute.states import Action
from compute.virt.driver import Driver
from compute.virt.errors import DriverError
from portal.core.signing import BadTicket, unseal

_PASSWORD_MAX_AGE_S = 3600


def changes_of(driver: Driver) -> dict[Action, Callable[[str], None]]:
    """Return what carries each such action out."""
    return {
        Action.PAUSE: driver.pause,
        Action.UNPAUSE: driver.unpause,
        Action.SUSPEND: driver.suspend,
        Action.RESUME: driver.resume,
        Action.CONFIRM_RESIZE: driver.confirm_resize,
        Action.REVERT_RESIZE: driver.revert_resize,
        Action.SOFT_DELETE: lambda server_id: driver.power_off(server_id, 0),
        Action.RESTORE: driver.power_on,
    }


def unsealed_password(key: bytes, sealed: str) -> str:
    """Return a password that the web process sealed; raises DriverError for one that is too old or not ours."""
    try:
        return str(unseal(key, PASSWORD_PURPOSE, sealed, _PASSWORD_MAX_AGE_S)["password"])
    except (BadTicket, KeyError) as error:
        raise DriverError("The password came too late or could not be read.") from error
