"""What other services tell of servers: noted, and passed on to whoever watches the server."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from django.db import transaction

from compute import notify, policies
from compute.models import Server
from portal.core.context import RequestContext
from portal.core.policy import authorize

LOG = logging.getLogger(__name__)

# Addresses are read from the network service each time, so news of it needs nothing more than a fresh look.
_NETWORK = frozenset({"network-changed", "network-vif-plugged", "network-vif-unplugged", "network-vif-deleted"})
NEED_TAG = frozenset({"volume-extended", "power-update", "accelerator-request-bound"})


class Outcome(IntEnum):
    """What came of an event, in the numbers of HTTP."""

    DONE = 200
    NO_TAG = 400
    NO_SERVER = 404
    NOTHING_TO_DO = 422


@dataclass(frozen=True)
class Event:
    """One piece of news about a server; ``tag`` says of which part, such as a port."""

    server_id: str
    name: str
    tag: str | None = None


@transaction.atomic
def take(*, ctx: RequestContext, events: Sequence[Event]) -> list[Outcome]:
    """Return what came of each event. One that needs a volume service, an accelerator or bare metal finds nothing here to act on."""
    authorize(ctx, policies.EXTERNAL_EVENTS)
    ids = {event.server_id for event in events}
    servers = {server.pk: server for server in Server.objects.present().filter(pk__in=ids)}
    outcomes = [_outcome(event, servers.get(event.server_id)) for event in events]
    for event, outcome in zip(events, outcomes, strict=True):
        LOG.info("Event %s:%s of instance %s: %s", event.name, event.tag, event.server_id, outcome.name)
    for server_id in {event.server_id for event, outcome in zip(events, outcomes, strict=True) if outcome == Outcome.DONE}:
        notify.server_changed(servers[server_id])
    return outcomes


def _outcome(event: Event, server: Server | None) -> Outcome:
    if server is None:
        return Outcome.NO_SERVER
    if event.name in NEED_TAG and event.tag is None:
        return Outcome.NO_TAG
    return Outcome.DONE if server.host is not None and event.name in _NETWORK else Outcome.NOTHING_TO_DO
