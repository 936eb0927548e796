"""Moves to other hosts. No host can take a server over from another yet, so each is judged as upstream does and then refused."""

from compute import policies
from compute.models import Host, Server, Service
from compute.selectors import is_up
from compute.services import operations
from compute.services.host_reports import COMPUTE
from compute.states import VmState
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, NotFound
from portal.core.policy import authorize

NO_HOST = "No valid host was found."

_FROM = {
    "migrate": frozenset({VmState.ACTIVE, VmState.STOPPED}),
    "os-migrateLive": frozenset({VmState.ACTIVE, VmState.PAUSED}),
    "evacuate": frozenset({VmState.ACTIVE, VmState.STOPPED, VmState.ERROR}),
}


def migrate(*, ctx: RequestContext, server: Server, host: str | None) -> None:
    """Refuse to move a server that is switched off for it."""
    authorize(ctx, policies.MIGRATE_HOST if host else policies.MIGRATE, server)
    _require(ctx, server, "migrate")
    if host:
        _require_known(host)
        if host == server.host:
            raise BadRequest("Cannot migrate to the host where the server exists.")
    raise BadRequest(f"{NO_HOST} No valid host found for cold migrate")


def migrate_live(*, ctx: RequestContext, server: Server, host: str | None) -> None:
    """Refuse to move a server while it runs."""
    authorize(ctx, policies.MIGRATE_LIVE_HOST if host else policies.MIGRATE_LIVE, server)
    _require(ctx, server, "os-migrateLive")
    if host:
        _require_known(host)
        if host == server.host:
            raise BadRequest(f"Unable to migrate instance ({server.pk}) to current host ({host}).")
    raise BadRequest(f"{NO_HOST} There are not enough hosts available.")


def evacuate(*, ctx: RequestContext, server: Server, host: str | None) -> None:
    """Refuse to build a server again that was on a host that failed."""
    authorize(ctx, policies.EVACUATE, server)
    if host and not Host.objects.filter(name=host).exists():
        raise NotFound("Host", host, f"Compute host {host} not found.")
    if host and host == server.host:
        raise BadRequest("The target host can't be the same one.")
    _require(ctx, server, "evacuate", idle=False)
    service = Service.objects.filter(binary=COMPUTE, host=server.host or "").first()
    if service is not None and is_up(service):
        raise BadRequest(f"Compute service of {server.host} is still in use.")
    raise BadRequest(f"{NO_HOST} There are not enough hosts available.")


def _require(ctx: RequestContext, server: Server, word: str, *, idle: bool = True) -> None:
    operations.refuse_locked(ctx, server)
    if server.vm_state not in _FROM[word]:
        raise operations.cannot(server, word, "vm_state")
    if idle and server.task_state is not None:
        raise operations.cannot(server, word, "task_state")


def _require_known(host: str) -> None:
    if not Host.objects.filter(name=host).exists():
        raise BadRequest(f"Compute host {host} could not be found.")
