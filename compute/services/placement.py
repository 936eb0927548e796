"""Where a build goes: choose a host, claim what is needed of it, send it the work. The decision is kept with its reasons."""

import logging
from collections import Counter
from typing import Any

from django.db import transaction

from compute import notify
from compute.group_selectors import hosts_of
from compute.models import PlacementDecision, Server, ServerGroup, Service
from compute.models.server import PLACED
from compute.network.services import hosts as network_hosts
from compute.scheduler import core
from compute.selectors import host_states, scheduler_filters, scheduler_weighers
from compute.services import claims, commands, failures
from compute.states import Action, VmState
from images.models import Image
from images.selectors import present_image
from portal.core import faults, log
from portal.core.errors import CloudError
from portal.core.faults import Point

LOG = logging.getLogger(__name__)

ROUNDS = 20  # each one lost is one that another build won: more than there are threads that place


class _Lost(Exception):
    """The host or the server was taken by somebody else in between."""


def place(server_id: str, request_id: str) -> None:
    """Give a build to a host, or end it with the reason why none can take it; a doubled message changes nothing."""
    with log.bound(request_id, server_id):
        for left in reversed(range(ROUNDS)):
            server = _waiting(server_id, request_id)
            if server is None:
                LOG.info("No placement: the build was placed, deleted or replaced before.")
                return
            if _try(server, as_weighed=left > 0):
                return
        waiting = _waiting(server_id, request_id)
        if waiting is not None:
            _fail(waiting, "No valid host was found. Other builds were first on every host: try again.")


def _waiting(server_id: str, request_id: str) -> Server | None:
    rows = Server.objects.present().select_related("number", "group")
    return rows.filter(pk=server_id, request_id=request_id, task_state__in=PLACED, host=None).first()


def _try(server: Server, *, as_weighed: bool) -> bool:
    """Return whether the placement came to an end, good or bad.

    With ``as_weighed`` the best host is taken only while it is as free as it was weighed: builds that are placed at once see each
    other and spread. The last round takes any host on which the server still fits.
    """
    image_id = server.shelved_image_id or server.image_id
    image = present_image(image_id or "")
    if image is None:
        _fail(server, f"Image {image_id} was deleted before the build began.")
        return True
    hosts = host_states()  # before the group's hosts: whatever is claimed in between makes the claim below fail
    spec = spec_of(server, image)
    selection = core.select(spec, hosts, scheduler_filters(), scheduler_weighers())
    _log_steps(selection)
    if not selection.hosts:
        with transaction.atomic():
            _record(server, spec, selection, None)
            _fail(server, reason_of(selection))
        return True
    states = {state.name: state for state in hosts}
    choices = selection.hosts[:1] if as_weighed else selection.hosts
    return any(claim(server, spec, selection, states[name], as_weighed=as_weighed) for name in choices)


def spec_of(server: Server, image: Image) -> core.RequestSpec:
    """Return what the server asks of a host."""
    unshelved = server.operation == Action.UNSHELVE
    tried = PlacementDecision.objects.filter(server=server, request_id=server.request_id).exclude(chosen=None)
    return core.RequestSpec(
        vcpus=server.vcpus,
        memory_mb=server.ram_mb,
        disk_gb=server.disk_gb,
        zone=server.requested_zone,
        host=server.operation_details.get("host") if unshelved else server.requested_host,
        attempted=tuple(name for name in tried.values_list("chosen", flat=True) if name),
        image_properties=image.custom,
        **_company(server),
    )


def _fail(server: Server, reason: str) -> None:
    """End a build with the reason; a server that was to be brought back stays shelved."""
    if server.operation == Action.UNSHELVE:
        failures.fail_operation(server, Action.UNSHELVE, reason, VmState.SHELVED_OFFLOADED)
    else:
        failures.fail_build(server, reason)


def _company(server: Server) -> dict[str, Any]:
    """Return where the servers are that this one shall be with or apart from."""
    hints, found = server.scheduler_hints, dict[str, Any]()
    if server.group is not None:
        found["group_policy"] = server.group.policy
        found["group_hosts"] = hosts_of(server.group, without=server.pk)
        found["group_max_per_host"] = server.group.max_per_host or 1
    if hints.get("same_host"):
        found["same_hosts"] = _hosts_of_servers(server, hints["same_host"])
    if hints.get("different_host"):
        found["different_hosts"] = _hosts_of_servers(server, hints["different_host"])
    return found


def _company_stays(server: Server, spec: core.RequestSpec) -> bool:
    """Whether the group is where it was when hosts were weighed; it stays so until the present transaction ends."""
    if server.group_id is None:
        return True
    group = ServerGroup.objects.select_for_update().filter(pk=server.group_id).first()
    return group is None or hosts_of(group, without=server.pk) == spec.group_hosts


def _hosts_of_servers(server: Server, named: str | list[str]) -> tuple[str, ...]:
    ids = [named] if isinstance(named, str) else named
    rows = Server.objects.present().filter(project_id=server.project_id, pk__in=ids).exclude(host=None)
    return tuple(sorted({str(host) for host in rows.values_list("host", flat=True)}))


def claim(
    server: Server,
    spec: core.RequestSpec,
    selection: core.Selection,
    state: core.HostState,
    *,
    as_weighed: bool,
) -> bool:
    """Give the server this host as it was seen, and return whether the placement came to an end; False when another was first."""
    claims.log_attempt(server, state)
    try:
        with transaction.atomic():
            if not _company_stays(server, spec):
                raise _Lost
            if not claims.take(server, state.name, seen=state if as_weighed else None):
                raise _Lost
            if not Service.objects.filter(compute_host__name=state.name, zone=state.zone).exists():
                raise _Lost  # it went to another zone meanwhile; from the claim on it stays
            if not Server.objects.place(server.pk, server.request_id, state.name, state.zone):
                raise _Lost
            server.host, server.availability_zone = state.name, state.zone
            _record(server, spec, selection, state.name)
            network_hosts.announce(server.pk, state.name)
            commands.send(server)
            faults.reach(Point.PLACED, server.pk)
            notify.server_changed(server)
    except _Lost:
        LOG.info("Claim on node %s was lost to another build.", state.name)
        return False
    except CloudError as error:
        _fail(server, error.message)
        return True
    LOG.info("Claim successful on node %s", state.name)
    return True


def _record(server: Server, spec: core.RequestSpec, selection: core.Selection, chosen: str | None) -> None:
    PlacementDecision.objects.create(
        server=server,
        request_id=server.request_id,
        asked=spec.as_json(),
        steps=selection.steps_as_json(),
        weights=selection.weights_as_json(),
        chosen=chosen,
    )


def _log_steps(selection: core.Selection) -> None:
    LOG.info("Starting with %d host(s)", selection.considered)
    for step in selection.steps:
        for host, reason in step.refused.items():
            LOG.info("%s refused host %s: %s", step.filter, host, reason)
        LOG.info("Filter %s returned %d hosts", step.filter, step.left)
    for weight in selection.weights:
        LOG.info("Weighed host %s: %s", weight.host, weight.total)


def reason_of(selection: core.Selection) -> str:
    """Return in one sentence why no host was left, without naming hosts: the server's owner reads it."""
    if selection.considered == 0:
        return "No valid host was found. No compute host has reported yet."
    reasons = Counter(reason for step in selection.steps for reason in step.refused.values())
    parts = [f"{reason}" if count == 1 else f"{reason} ({count} hosts)" for reason, count in reasons.most_common(3)]
    return f"No valid host was found. Of {selection.considered} host(s) none can take it: {'; '.join(parts)}."
