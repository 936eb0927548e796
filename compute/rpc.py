"""Commands to a host: each leaves with the transaction that decided it."""

from compute.messages import COMMAND_ACTORS, Command, host_queue, pack
from portal.core import bus


def send(host: str, command: Command) -> None:
    """Have a host carry a command out."""
    bus.cast(host_queue(host), COMMAND_ACTORS[type(command)], pack(command))
