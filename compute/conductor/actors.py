"""What arrives on the queue ``conductor``: each message is unpacked and given to one service.

What cannot be unpacked is dropped with a line in the log: it will not get better by trying again. Any other fault rises, and the
queue tries again.
"""

import logging
from collections.abc import Callable
from typing import Any

import dramatiq
import msgspec

from compute.messages import (
    CONDUCTOR_QUEUE,
    REPORT_ACTORS,
    BuildPhase,
    GuestChanged,
    HostReport,
    ImageNotFetched,
    OperationFinished,
    unpack,
)
from compute.port_messages import FiltersWanted, InterfaceChanged
from compute.services import host_reports, image_cache, interfaces, lifecycle, placement, removal, reports
from portal.core import faults, log, statements
from portal.core.faults import Point

LOG = logging.getLogger(__name__)

MAX_RETRIES = 8


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the web process asks of the conductor: to look at one operation of one server."""

    server_id: str
    request_id: str


def build(order: Order) -> None:
    """Give a build to a host."""
    placement.place(order.server_id, order.request_id)


def forget(order: Order) -> None:
    """Remove a server that no host has."""
    removal.forget(order.server_id, order.request_id)


def _mortal(handle: Callable[[Any], None], before: Point, after: Point) -> Callable[[Any], None]:
    """Let tests have the conductor die before it looks at a message, and before it acknowledges it."""

    def handled(message: Any) -> None:
        faults.reach(before, message.server_id)
        handle(message)
        faults.reach(after, message.server_id)

    return handled


HANDLERS: dict[str, tuple[type, Callable[[Any], None]]] = {
    lifecycle.BUILD: (Order, _mortal(build, Point.ORDERED, Point.ORDER_DONE)),
    lifecycle.FORGET: (Order, forget),
    REPORT_ACTORS[BuildPhase]: (
        BuildPhase,
        _mortal(reports.build_phase, Point.PROGRESS_HEARD, Point.PROGRESS_DONE),
    ),
    REPORT_ACTORS[OperationFinished]: (
        OperationFinished,
        _mortal(reports.operation_finished, Point.OUTCOME_HEARD, Point.OUTCOME_DONE),
    ),
    REPORT_ACTORS[HostReport]: (HostReport, host_reports.host_report),
    REPORT_ACTORS[GuestChanged]: (GuestChanged, reports.guest_changed),
    REPORT_ACTORS[ImageNotFetched]: (ImageNotFetched, image_cache.not_fetched),
    REPORT_ACTORS[InterfaceChanged]: (InterfaceChanged, interfaces.interface_changed),
    REPORT_ACTORS[FiltersWanted]: (FiltersWanted, interfaces.filters_wanted),
}


def declare(broker: dramatiq.Broker) -> None:
    """Make the actors known to a broker."""
    for name, (kind, handle) in HANDLERS.items():
        make = dramatiq.actor(actor_name=name, queue_name=CONDUCTOR_QUEUE, broker=broker, max_retries=MAX_RETRIES)
        make(_receiver(name, kind, handle))


def _receiver(name: str, kind: type, handle: Callable[[Any], None]) -> Callable[..., None]:
    def receive(**payload: Any) -> None:
        try:
            message: Any = unpack(kind, payload)
        except msgspec.ValidationError as error:
            LOG.error("Dropped a message %s that makes no sense: %s", name, error)
            return
        with log.bound(getattr(message, "request_id", None), getattr(message, "server_id", None)), statements.logged():
            LOG.debug("Received %s", name)
            handle(message)

    return receive
