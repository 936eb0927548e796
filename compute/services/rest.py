"""Letting servers rest and go on: paused in memory, or suspended to disk. The host reports the outcome later."""

from compute import policies
from compute.models import Server
from compute.services import operations
from compute.states import Action
from portal.core.context import RequestContext


def pause(*, ctx: RequestContext, server: Server) -> None:
    """Stop a server's clock; it keeps its memory."""
    operations.begin(ctx, server, Action.PAUSE, policies.PAUSE)


def unpause(*, ctx: RequestContext, server: Server) -> None:
    """Let a paused server go on."""
    operations.begin(ctx, server, Action.UNPAUSE, policies.UNPAUSE)


def suspend(*, ctx: RequestContext, server: Server) -> None:
    """Write a server's memory to the disk of its host and switch it off."""
    operations.begin(ctx, server, Action.SUSPEND, policies.SUSPEND)


def resume(*, ctx: RequestContext, server: Server) -> None:
    """Let a suspended server go on where it was."""
    operations.begin(ctx, server, Action.RESUME, policies.RESUME)
