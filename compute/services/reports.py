"""What hosts tell: the only way in which an operation ends.

A report is believed when it comes from the server's own host and carries the request of the operation that the server is in. Any
other is stale, doubled or a lie, and changes nothing.
"""

import logging
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from compute import notify
from compute.messages import BuildPhase, GuestChanged, OperationFinished
from compute.models import Server, ServerDefinition
from compute.services import actions, failures, outcomes, progress, rebuilt, removal, signals, usage
from compute.states import BUILD_STAGES, SIGNALS, TRANSITIONS, Action, OtherAction, PowerState, VmState, resting
from compute.virt.libvirt.differences import steady
from portal.core import faults
from portal.core.faults import Point

LOG = logging.getLogger(__name__)

DEFINITIONS_KEPT = 20

_BY_ITSELF = {
    VmState.ACTIVE: Action.START,
    VmState.STOPPED: Action.STOP,
    VmState.PAUSED: Action.PAUSE,
    VmState.SUSPENDED: Action.SUSPEND,
}


@transaction.atomic
def build_phase(report: BuildPhase) -> None:
    """Move a build, or another operation that takes its time, on to the stage that its host reached."""
    if not progress.step(report):
        _move_build(report)
    faults.reach(Point.PROGRESS_WRITTEN, report.server_id)


def _move_build(report: BuildPhase) -> None:
    if report.stage not in BUILD_STAGES:
        LOG.warning("Host %s reported the stage %s, which no build has.", report.host, report.stage)
        return
    moved = Server.objects.advance(report.server_id, report.request_id, report.host, report.stage)
    server = _own_server(report.server_id, report.host, report.request_id)
    if server is None:
        return
    if moved or server.task_state in BUILD_STAGES:
        actions.record_phase(report)
    if moved:
        notify.server_changed(server)


@transaction.atomic
def operation_finished(report: OperationFinished) -> None:
    """Close the operation that a host carried out."""
    if report.action == Action.REBUILD:
        rebuilt.told(report)
    if report.action in SIGNALS:
        signals.finished(report)
    else:
        _close(report)
    faults.reach(Point.OUTCOME_WRITTEN, report.server_id)


def _close(report: OperationFinished) -> None:
    server = _own_server(report.server_id, report.host, report.request_id)
    if server is None:
        return
    if server.operation != report.action:
        LOG.warning("Host %s ended %s, but the instance is in %s.", report.host, report.action, server.operation)
        return
    if report.action == Action.DELETE:
        _deleted(server, report)
    elif report.fault is None:
        _succeeded(server, report)
    elif report.action == Action.CREATE:
        failures.fail_build(server, report.fault)
    else:
        end = resting(server.vm_state, report.power_state) or VmState.ERROR
        failures.fail_operation(server, report.action, report.fault, end, **_known(report))


def _succeeded(server: Server, report: OperationFinished) -> None:
    if server.task_state is None:
        return  # it was told before, or given up: what follows from it must not happen twice
    changes: dict[str, Any] = {"vm_state": TRANSITIONS[report.action].then, **_known(report)}
    changes |= outcomes.changes(server, report)
    if not Server.objects.finish(server.pk, report.request_id, **changes):
        return
    if usage.FOLLOWED & changes.keys():
        usage.follow(server.pk)
    if report.definition:
        _keep_definition(server, report)
    actions.finish(server, report.request_id, report.action, None)
    notify.server_changed(server)


def _deleted(server: Server, report: OperationFinished) -> None:
    if report.fault is None:
        removal.remove(server.pk, report.request_id)
    else:
        failures.fail_operation(server, Action.DELETE, report.fault, VmState.ERROR, **_known(report))


def _known(report: OperationFinished) -> dict[str, Any]:
    """Return what a report tells of the guest, and when that was by its host's clock."""
    at = timezone.now() if report.at is None else datetime.fromtimestamp(report.at, tz=UTC)
    return {"power_state": report.power_state, "observed_at": at}


def _keep_definition(server: Server, report: OperationFinished) -> None:
    """Store what the host was told, unless the last start was told the same."""
    last = server.definitions.order_by("-created_at", "-pk").first()
    if last is not None and last.host == report.host and steady(last.xml) == steady(report.definition or ""):
        return
    ServerDefinition.objects.create(server=server, host=report.host, xml=report.definition or "", request_id=report.request_id)
    surplus = server.definitions.order_by("-created_at", "-pk").values_list("pk", flat=True)[DEFINITIONS_KEPT:]
    if surplus:
        ServerDefinition.objects.filter(pk__in=list(surplus)).delete()


@transaction.atomic
def guest_changed(report: GuestChanged) -> None:
    """Take over what a guest became by itself."""
    server = Server.objects.present().filter(pk=report.server_id, host=report.host).first()
    if server is None:
        LOG.warning("Host %s told of guest %s, which is not its own.", report.host, report.server_id)
        return
    take_over(server, report.power_state, datetime.fromtimestamp(report.at, tz=UTC))


def take_over(server: Server, power_state: PowerState, at: datetime, cause: OtherAction | None = None) -> bool:
    """Write a guest's own change into its server; False when newer things are known. ``cause`` is what the actions log calls it."""
    vm_state = resting(server.vm_state, power_state)
    if vm_state is None or server.host is None:
        return False
    if not Server.objects.observe(server.pk, server.host, vm_state, power_state, at):
        return False
    LOG.info("Instance %s is %s by itself: power state %s.", server.pk, vm_state, power_state.name)
    if cause is not None or vm_state != server.vm_state:
        actions.note(server, cause or _BY_ITSELF[vm_state], at)
    notify.server_changed(server)
    return True


def _own_server(server_id: str, host: str, request_id: str) -> Server | None:
    """Return the server when the report can be about it."""
    server = Server.objects.present().select_for_update().filter(pk=server_id).first()
    if server is None:
        LOG.info("A report of host %s is about an instance that is gone.", host)
        return None
    if server.host != host:
        LOG.warning("A report of host %s is about an instance that is not there.", host)
        return None
    if server.request_id != request_id:
        LOG.info("A report of host %s is about an operation that is over.", host)
        return None
    return server
