"""What sharing a server gives, level by level."""

from accounts.models.share import Level
from accounts.services import shares
from compute import policies
from compute.models import Server


def declare() -> None:
    """Make servers shareable."""
    shares.declare(
        Server,
        policies.SHARE,
        {
            Level.READER: (policies.SHOW, policies.CONSOLE_OUTPUT),
            Level.USER: (policies.START, policies.STOP, policies.REBOOT, policies.REMOTE_CONSOLES),
            Level.MANAGER: (policies.UPDATE, policies.DELETE, policies.SHARE),
        },
    )
