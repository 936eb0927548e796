"""The conductor's worker: dramatiq's own, but what a host tells beyond its allowance reaches no thread of it."""

import logging
from queue import PriorityQueue
from typing import Any

from django.db import Error, close_old_connections
from dramatiq import Broker, MessageProxy, Worker

from compute.conductor.allowances import Allowances
from compute.models import Host

LOG = logging.getLogger(__name__)

_PREFETCH = 100  # a flood is thrown away faster than a host can send it


class ConductorWorker(Worker):
    """Takes messages of one queue with so many threads."""

    def __init__(self, broker: Broker, *, allowances: Allowances | None = None, **options: Any) -> None:
        super().__init__(broker, **options)
        self.queue_prefetch = _PREFETCH
        self.work_queue = _Sieve(self, allowances or Allowances(known_hosts))

    def done(self, message: MessageProxy) -> None:
        """Tell the queue that a message needs no more work."""
        self.consumers[message.queue_name].post_process_message(message)


class _Sieve(PriorityQueue[Any]):
    """A queue that lets through what is admitted; consumers put, in threads of their own."""

    def __init__(self, worker: ConductorWorker, allowances: Allowances) -> None:
        super().__init__()
        self._worker, self._allowances = worker, allowances

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Let a message wait for a thread, or be done with it."""
        if self._allowances.admits(item.message.actor_name, item.message.kwargs):
            super().put(item, block, timeout)
        else:
            self._worker.done(item.message)


def known_hosts() -> frozenset[str]:
    """Return the names of the hosts that have a row; none while the database does not answer."""
    close_old_connections()
    try:
        return frozenset(Host.objects.values_list("name", flat=True))
    except Error as error:
        LOG.info("Which hosts there are is not known now: %s", error)
        return frozenset()
    finally:
        close_old_connections()
