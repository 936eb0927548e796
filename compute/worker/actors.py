"""Commands as messages: each kind is an actor on the queue of this host, and what takes it may ask for another try."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import dramatiq
from dramatiq.errors import Retry

from compute.messages import COMMAND_ACTORS, Command, host_queue, pack, unpack
from compute.worker.commands import PASSING
from compute.worker.operations import Busy, Stopping
from portal.core import faults, log
from portal.core.faults import Point

LOG = logging.getLogger(__name__)

GAVE_UP = "compute.gave_up"
_TRIES = 8  # with the broker's back-off: a minute and a half
_BACK_MS = 500


class Again(Retry):
    """Has the queue try a message again, without an alarm in the log."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(str(cause))
        self.ends_here = isinstance(cause, Stopping)


class Party(Protocol):
    """Takes several kinds of commands."""

    def handlers(self) -> dict[type, Callable[[Any], None]]: ...

    def give_up(self, command: Any) -> None: ...


def register(broker: dramatiq.Broker, host: str, *parties: Party) -> None:
    """Make the commands known to the broker, on the queue of this host."""
    owners: dict[str, tuple[type, Party]] = {}
    for party in parties:
        for kind, handle in party.handlers().items():
            name = COMMAND_ACTORS[kind]
            owners[name] = (kind, party)
            dramatiq.actor(
                broker=broker,
                queue_name=host_queue(host),
                actor_name=name,
                retry_when=_passing,
                on_retry_exhausted=GAVE_UP,
            )(_receiver(kind, _patient(handle, partial(_put_back, broker, name))))
    dramatiq.actor(broker=broker, queue_name=host_queue(host), actor_name=GAVE_UP)(_gave_up(owners))


def _receiver(kind: type[Command], handle: Callable[[Any], None]) -> Callable[..., None]:
    def receive(**payload: Any) -> None:
        command = unpack(kind, payload)
        with log.bound(request_id=command.request_id, server_id=getattr(command, "server_id", None)):
            LOG.debug("Received %s", kind.__name__)
            faults.reach(Point.RECEIVED, getattr(command, "server_id", ""))
            try:
                handle(command)
            except PASSING as error:
                LOG.warning("%s will be tried again: %s", kind.__name__, error or type(error).__name__)
                raise Again(error) from error

    return receive


def _patient(handle: Callable[[Any], None], put_back: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return what hands a command back for a while whose server is busy, so that no thread waits for it."""

    def handle_or_wait(command: Any) -> None:
        try:
            handle(command)
        except Busy:
            LOG.debug("%s waits: something else is done to its server", type(command).__name__)
            put_back(command)

    return handle_or_wait


def _put_back(broker: dramatiq.Broker, actor_name: str, command: Any) -> None:
    """Send a command anew, a little later: having waited is no try that failed."""
    broker.get_actor(actor_name).send_with_options(kwargs=pack(command), delay=_BACK_MS)


def _gave_up(owners: dict[str, tuple[type, Party]]) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    def gave_up(message: dict[str, Any], _tries: dict[str, Any]) -> None:
        if message["actor_name"] in owners:
            kind, party = owners[message["actor_name"]]
            party.give_up(unpack(kind, message["kwargs"]))

    return gave_up


def _passing(tries: int, error: BaseException) -> bool:
    """Whether another try may help. A process that ends does not use a try up."""
    return isinstance(error, Again) and (error.ends_here or tries < _TRIES)
