"""What arrives on the queue ``images``: a task's id, given to one service.

Imports have a queue and threads of their own, so that long ones do not keep servers waiting.
"""

import logging

import dramatiq
import msgspec

from images.services import tasks
from images.services.imports import runs
from portal.core import log, statements

LOG = logging.getLogger(__name__)

MAX_RETRIES = 3


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the web process asks of the conductor: to do one task."""

    task_id: str
    request_id: str


def declare(broker: dramatiq.Broker) -> None:
    """Make the actor known to a broker. A run that is to end with its process is told, and gives its task back."""
    make = dramatiq.actor(
        actor_name=tasks.ACTOR,
        queue_name=tasks.QUEUE,
        broker=broker,
        max_retries=MAX_RETRIES,
        notify_shutdown=True,
    )
    make(_run_task)


def _run_task(**payload: str) -> None:
    try:
        order = msgspec.convert(payload, Order)
    except msgspec.ValidationError as error:
        LOG.error("Dropped a message %s that makes no sense: %s", tasks.ACTOR, error)
        return
    with log.bound(order.request_id or None), statements.logged():
        runs.perform(order.task_id)
