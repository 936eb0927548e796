"""Starting, stopping and restarting servers. Each returns once the wish is written down; the host reports the outcome later."""

from compute import policies
from compute.models import Server
from compute.services import operations
from compute.states import Action
from portal.core.context import RequestContext


def start(*, ctx: RequestContext, server: Server) -> None:
    """Power on a stopped server."""
    operations.begin(ctx, server, Action.START, policies.START)


def stop(*, ctx: RequestContext, server: Server) -> None:
    """Shut a server down; a guest that does not listen loses power after a while."""
    operations.begin(ctx, server, Action.STOP, policies.STOP)


def reboot(*, ctx: RequestContext, server: Server, hard: bool = False) -> None:
    """Restart a server; ``hard`` pulls the plug first."""
    operations.begin(ctx, server, Action.REBOOT_HARD if hard else Action.REBOOT, policies.REBOOT)
