"""What each action that needs nothing but the guest asks of a driver."""

from collections.abc import Callable

from compute.states import Action
from compute.virt.driver import Driver


def changes_of(driver: Driver) -> dict[Action, Callable[[str], object]]:
    """Return what carries each such action out."""
    return {
        Action.PAUSE: driver.pause,
        Action.UNPAUSE: driver.unpause,
        Action.SUSPEND: driver.suspend,
        Action.RESUME: driver.resume,
        Action.SOFT_DELETE: lambda server_id: driver.power_off(server_id, 0),
        Action.RESTORE: driver.unrescue,  # its rescue may have been under way when it was deleted
    }
