"""Commands to a host: each leaves with the transaction that decided it."""

from compute.messages import (
    COMMAND_ACTORS,
    Command,
    Destroy,
    EvictImage,
    FetchImage,
    PowerOff,
    PowerOn,
    Reboot,
    Spawn,
    host_queue,
    pack,
)
from portal.core import bus


def spawn(host: str, command: Spawn) -> None:
    """Have a host build and start a guest."""
    _cast(host, command)


def destroy(host: str, command: Destroy) -> None:
    """Have a host remove a guest."""
    _cast(host, command)


def power_on(host: str, command: PowerOn) -> None:
    """Have a host start a guest."""
    _cast(host, command)


def power_off(host: str, command: PowerOff) -> None:
    """Have a host shut a guest down."""
    _cast(host, command)


def reboot(host: str, command: Reboot) -> None:
    """Have a host restart a guest."""
    _cast(host, command)


def fetch_image(host: str, command: FetchImage) -> None:
    """Have a host bring an image into its cache."""
    _cast(host, command)


def evict_image(host: str, command: EvictImage) -> None:
    """Have a host remove an image from its cache."""
    _cast(host, command)


def _cast(host: str, command: Command) -> None:
    bus.cast(host_queue(host), COMMAND_ACTORS[type(command)], pack(command))
