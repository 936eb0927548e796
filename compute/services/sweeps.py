"""Repair: messages that were lost are sent again, operations that nobody ends are ended with a sentence.

The row is the truth, so everything here follows from rows alone and may run twice.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from compute import notify, rpc
from compute.messages import CONDUCTOR_QUEUE, Destroy
from compute.models import Server, Service
from compute.network.services import plugging
from compute.selectors import is_up
from compute.services import (
    actions,
    claims,
    commands,
    consoles,
    deferred,
    failures,
    interfaces,
    lifecycle,
    resizing,
    shelving,
    signals,
)
from compute.services.findings import Find, Finding, Rounds, attend, slices
from compute.services.host_reports import COMPUTE
from compute.states import BUILD_STAGES, TRANSITIONS, Action, VmState
from portal.core import bus
from portal.core.errors import CloudError

LOG = logging.getLogger(__name__)

RESEND_AFTER_S = 20
RESENDS_MOST = 5
PLACEMENTS_MOST = 3
UNKNOWN = "An operation was under way that nobody knows."

_rounds = Rounds()


def messages() -> Iterator[Finding]:
    """Yield what was promised and could not be sent, as one finding."""
    waiting = len(bus.waiting())
    if waiting:
        yield Finding(f"{waiting} messages wait in the outbox", "they are sent", bus.resend)


def operations() -> Iterator[Finding]:
    """Yield operations of which nothing was heard for a while, with what is to be done about each: a slice, and the next one next time."""
    yield from _findings(_rounds.next(_running()))


def all_operations() -> Iterator[Finding]:
    """Yield all of them."""
    yield from _findings(slices(_running()))


def _findings(running: Iterable[Server]) -> Iterator[Finding]:
    silent: set[str] | None = None
    for server in running:
        silent = silent_hosts() if silent is None else silent
        remedy = _remedy(server, silent)
        if remedy is not None:
            words, mend = remedy
            what = f"instance {server.pk} is in {server.task_state} for {_age_s(server.operation_at):.0f} s without a word of its host"
            yield Finding(what, words, mend, server.request_id, server.pk)


FINDERS: dict[str, Find] = {
    "messages": messages,
    "operations": operations,
    "shelved servers": shelving.due,
    "console tokens": consoles.expired,
    "resizes": resizing.due,
    "deleted servers": deferred.due,
    "signals": signals.unanswered,
    "network cards": interfaces.unanswered,
}


def sweep() -> int:
    """Run every repair once; return how much was found."""
    return sum(1 for _each in attend(FINDERS))


def silent_hosts() -> set[str]:
    """Return the names of hosts of which nothing was heard for too long."""
    return {service.host for service in Service.objects.filter(binary=COMPUTE) if not is_up(service)}


@transaction.atomic
def begin_times_anew() -> None:
    """Count all that is under way, and all hosts, as heard of now: the times in their rows are those of a clock that was set."""
    now = timezone.now()
    Server.objects.busy().update(operation_at=now)
    Service.objects.filter(binary=COMPUTE).exclude(seen_at=None).update(seen_at=now)
    plugging.begin_times_anew()


def _running() -> QuerySet[Server]:
    before = timezone.now() - timedelta(seconds=RESEND_AFTER_S)
    return Server.objects.busy().select_related("number").filter(operation_at__lt=before)


def _remedy(server: Server, silent: set[str]) -> tuple[str, Callable[[], object]] | None:
    if server.operation not in (None, *Action):
        return "it is ended", partial(_end_unknown, server)
    action = Action(server.operation or Action.CREATE)
    limit_s = settings.OPERATION_TIMEOUTS_S[TRANSITIONS[action].limit]
    if _age_s(server.operation_at) > limit_s:
        return "it is ended", partial(expire, server, action, limit_s)
    if server.host in silent:
        return ("the build is placed elsewhere", partial(move_build, server)) if action == Action.CREATE else None
    return ("its command is sent again", partial(_resend_once, server, action)) if _due(server) else None


def _age_s(since: datetime | None) -> float:
    return (timezone.now() - since).total_seconds() if since else 0.0


def _due(server: Server) -> bool:
    """Whether the next of a few resends is due; their distance doubles."""
    sent = _resends(server)
    return sent < RESENDS_MOST and _age_s(server.operation_at) >= RESEND_AFTER_S * 2**sent


def _resend_once(server: Server, action: Action) -> None:
    cache.set(_resends_key(server), _resends(server) + 1, max(settings.OPERATION_TIMEOUTS_S.values()))
    resend(server, action)


def _resends(server: Server) -> int:
    return int(cache.get(_resends_key(server), 0))


def _resends_key(server: Server) -> str:
    return f"compute:resent:{server.pk}:{server.request_id}:{server.host or ''}"


@transaction.atomic
def resend(server: Server, action: Action) -> None:
    """Send the command of a running operation again: every command is harmless the second time."""
    LOG.info("The command for %s is sent again.", action)
    if server.host is None:
        actor = lifecycle.FORGET if action == Action.DELETE else lifecycle.BUILD
        bus.cast(CONDUCTOR_QUEUE, actor, {"server_id": server.pk, "request_id": server.request_id})
        return
    try:
        commands.send(server)
    except CloudError as error:
        LOG.info("The operation is left to its host: %s", error.message)


@transaction.atomic
def move_build(server: Server) -> None:
    """Take a build from a silent host and have it placed elsewhere, or end it when it was moved too often."""
    host = server.host
    if host is None:
        return
    if server.attempts >= PLACEMENTS_MOST:
        fault = f"The build was given to {server.attempts} hosts, and none of them answered."
        failures.fail_build(server, fault, abandon_host=True)
        return
    if not Server.objects.unplace(server.pk, server.request_id, host):
        return
    LOG.warning("Host %s is silent: the build is placed again.", host)
    claims.give_back(server, host)
    rpc.send(host, Destroy(server.pk, server.request_id))
    bus.cast(CONDUCTOR_QUEUE, lifecycle.BUILD, {"server_id": server.pk, "request_id": server.request_id})
    notify.server_changed(server)


@transaction.atomic
def _end_unknown(server: Server) -> None:
    """End an operation that a row names and nobody knows, such as one of a later version."""
    if Server.objects.finish(server.pk, server.request_id, VmState.ERROR):
        failures.write_fault(server, UNKNOWN)
        actions.abandon(server, "", UNKNOWN)
        notify.server_changed(server)


def expire(server: Server, action: Action, limit_s: int) -> None:
    """End an operation of which nothing was heard for too long."""
    if action == Action.CREATE:
        stage = BUILD_STAGES.index(server.task_state) + 1 if server.task_state in BUILD_STAGES else 0
        fault = (
            f"The build made no progress for {limit_s} seconds (stage {stage} of {len(BUILD_STAGES)}, {server.task_state})."
        )
        failures.fail_build(server, fault, abandon_host=True)
        return
    fault = f"The host did not answer within {limit_s} seconds ({action})."
    if failures.fail_operation(server, action, fault, None if action == Action.CHANGE_PASSWORD else VmState.ERROR):
        resizing.call_back(server, action)
