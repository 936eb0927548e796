"""What breaks what must always be true (``compute.services.invariants``) and can be set right here, found now and then.

None of it can come about as long as no statement is lost: these are for databases that were restored, rows that were changed by
hand, and faults of ours.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.services import shares
from compute import notify, rpc
from compute.messages import Destroy
from compute.models import Host, Server, ServerAction
from compute.network.services import ports
from compute.services import actions, claims, failures, usage
from compute.services.findings import Find, Finding, attend, slices
from compute.services.invariants import SETTLE, folders, grants_left, ports_left
from compute.states import VmState
from portal.core.context import new_request_id

_NEEDS_HOST = (VmState.ACTIVE, VmState.STOPPED, VmState.PAUSED, VmState.SUSPENDED)
NO_HOST = "No host knows of this instance any more."
NOBODY_BUILDS = "Nobody builds this instance any more."
NEVER_ENDED = "It was never heard how this ended."


def servers_without_host() -> Iterator[Finding]:
    """Yield idle servers that no host can have."""
    for server in slices(Server.objects.present().filter(task_state=None, vm_state__in=_NEEDS_HOST, host=None)):
        yield _calling_it_lost(server, f"instance {server.pk} is {server.vm_state} and has no host", NO_HOST)


def builds_of_nobody() -> Iterator[Finding]:
    """Yield servers that were left in the midst of their build."""
    for server in slices(Server.objects.present().filter(task_state=None, vm_state=VmState.BUILDING)):
        yield _calling_it_lost(server, f"instance {server.pk} is building, and nobody builds it", NOBODY_BUILDS)


def claims_astray() -> Iterator[Finding]:
    """Yield hosts of which something else is claimed than what their servers need."""
    for found in claims.astray(Host.objects.all()):
        yield Finding(str(found), "the claim is set right", partial(claims.set_right, found.host.pk))


def use_astray() -> Iterator[Finding]:
    """Yield servers whose use is not counted, or is though there is none."""
    for found in usage.astray():
        yield Finding(str(found), "from now on it is counted as it is", partial(usage.set_right, found.server_id))


def ports_of_nobody() -> Iterator[Finding]:
    """Yield servers that are gone and still have ports."""
    for device_id in ports_left().values_list("device_id", flat=True).distinct():
        yield Finding(f"instance {device_id} is gone and has ports", "they are released", partial(_release, device_id))


def folders_of_nobody() -> Iterator[Finding]:
    """Yield deleted servers whose folder is there; one of which no row speaks may be wanted, and is left alone."""
    gone = Server.objects.filter(deleted_at__lt=timezone.now() - SETTLE).exclude(host=None)
    for server in gone.filter(pk__in=folders(Path(settings.STATE_DIR) / "instances")):
        yield Finding(f"folder instances/{server.pk} belongs to no instance", "its host removes it", partial(_destroy, server))


def grants_on_nothing() -> Iterator[Finding]:
    """Yield servers that are gone and are still shared."""
    for rows in grants_left():
        for server_id in rows.values_list("object_pk", flat=True).distinct():
            forget = partial(shares.forget, Server(pk=server_id))
            yield Finding(f"instance {server_id} is gone and shared", "the grants are taken back", forget)


def actions_without_end() -> Iterator[Finding]:
    """Yield idle servers with an action that began longer ago than any operation may take."""
    longest = timedelta(seconds=max(settings.OPERATION_TIMEOUTS_S.values()))
    before = timezone.now() - SETTLE - longest
    rows = ServerAction.objects.filter(finished_at=None, started_at__lt=before, server__task_state=None)
    for server in slices(Server.objects.filter(pk__in=rows.values("server"))):
        close = partial(actions.abandon, server, "", NEVER_ENDED, before)
        yield Finding(f"an action of instance {server.pk} never ended", "it is closed", close)


FINDERS: dict[str, Find] = {
    "servers without host": servers_without_host,
    "builds of nobody": builds_of_nobody,
    "claims": claims_astray,
    "use": use_astray,
    "ports": ports_of_nobody,
    "folders": folders_of_nobody,
    "grants": grants_on_nothing,
    "actions": actions_without_end,
}


def repair() -> int:
    """Set all of it right; return how much there was."""
    return sum(1 for _each in attend(FINDERS))


def _calling_it_lost(server: Server, what: str, why: str) -> Finding:
    return Finding(what, "it is called lost", partial(_lose, server, why), server.request_id, server.pk)


@transaction.atomic
def _lose(server: Server, why: str) -> None:
    rows = Server.objects.filter(task_state=None, vm_state=server.vm_state, host=server.host)
    if rows.reset(server.pk, VmState.ERROR):
        failures.write_fault(server, why)
        actions.abandon(server, "", why)
        notify.server_changed(server)


@transaction.atomic
def _release(device_id: str) -> None:
    ports.release(device_id)


@transaction.atomic
def _destroy(server: Server) -> None:
    rpc.send(server.host or "", Destroy(server.pk, new_request_id()))
