"""One operation at a time on each server, and a word that ends the one under way: the server is to be destroyed."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from compute.virt.driver import Cancelled

_REMEMBERED = 10_000
_PATIENCE_S = 0.3


class Stopping(Exception):
    """This process ends; the queue gives the operation to the next one."""


class Busy(Exception):
    """Something else is done to this server, and it takes its time: whoever waits for that comes back later."""


class Operations:
    """Which servers are worked on, and which are condemned.

    A condemned server is never built again, however late or often its Spawn arrives: ids are not used twice.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, tuple[threading.Lock, int]] = {}
        self._condemned: OrderedDict[str, None] = OrderedDict()
        self._stopping = threading.Event()

    @contextmanager
    def alone(self, server_id: str) -> Iterator[None]:
        """Work on a server while nobody else does; raises Busy when somebody goes on for longer than a thread may be held by waiting.

        What goes on is its owner's doing: were it waited for, he could hold all threads that start and delete other people's servers.
        """
        with self._lock:
            mine, waiting = self._held.get(server_id, (threading.Lock(), 0))
            self._held[server_id] = (mine, waiting + 1)
        try:
            if not mine.acquire(timeout=_PATIENCE_S):
                raise Busy(server_id)
            try:
                yield
            finally:
                mine.release()
        finally:
            with self._lock:
                _, waiting = self._held[server_id]
                if waiting == 1:
                    del self._held[server_id]
                else:
                    self._held[server_id] = (mine, waiting - 1)

    def condemn(self, server_id: str) -> None:
        """End what is under way on this server and let nothing be built for it any more."""
        with self._lock:
            self._condemned[server_id] = None
            self._condemned.move_to_end(server_id)
            while len(self._condemned) > _REMEMBERED:
                self._condemned.popitem(last=False)

    def stop(self) -> None:
        """End whatever is under way on all servers."""
        self._stopping.set()

    def cancelled(self, server_id: str) -> Cancelled:
        """Return the question "is this server condemned?"; asking it raises Stopping when the process ends."""

        def ask() -> bool:
            if self._stopping.is_set():
                raise Stopping
            return server_id in self._condemned

        return ask
