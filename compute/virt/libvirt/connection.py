"""The connection to libvirt: opened when needed, watched by keep-alive, opened again at once after a loss.

libvirt: html/libvirt-libvirt-host.html#virConnectSetKeepAlive, html/libvirt-libvirt-event.html
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import libvirt

from compute.states import PowerState
from compute.virt.errors import DriverError, GuestNotFound, HypervisorUnreachable

LOG = logging.getLogger(__name__)

_KEEPALIVE_S = 5
_KEEPALIVE_MISSES = 3
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0

STATES = {
    libvirt.VIR_DOMAIN_NOSTATE: PowerState.NOSTATE,
    libvirt.VIR_DOMAIN_RUNNING: PowerState.RUNNING,
    libvirt.VIR_DOMAIN_BLOCKED: PowerState.RUNNING,
    libvirt.VIR_DOMAIN_PAUSED: PowerState.PAUSED,
    # What is shutting down still runs.
    libvirt.VIR_DOMAIN_SHUTDOWN: PowerState.RUNNING,
    libvirt.VIR_DOMAIN_SHUTOFF: PowerState.SHUTDOWN,
    libvirt.VIR_DOMAIN_CRASHED: PowerState.CRASHED,
    libvirt.VIR_DOMAIN_PMSUSPENDED: PowerState.SUSPENDED,
}
UP = (libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_BLOCKED, libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_SHUTDOWN)
_EVENTS = {
    libvirt.VIR_DOMAIN_EVENT_STARTED: PowerState.RUNNING,
    libvirt.VIR_DOMAIN_EVENT_RESUMED: PowerState.RUNNING,
    libvirt.VIR_DOMAIN_EVENT_SUSPENDED: PowerState.PAUSED,
    libvirt.VIR_DOMAIN_EVENT_STOPPED: PowerState.SHUTDOWN,
    libvirt.VIR_DOMAIN_EVENT_CRASHED: PowerState.CRASHED,
    libvirt.VIR_DOMAIN_EVENT_PMSUSPENDED: PowerState.SUSPENDED,
}
_LOST = (libvirt.VIR_FROM_REMOTE, libvirt.VIR_FROM_RPC)

Event = tuple[str, PowerState]

_loop_lock = threading.Lock()
_loop: threading.Thread | None = None


@contextmanager
def translated(server_id: str = "") -> Iterator[None]:
    """Turn libvirt's errors into ours: no such guest, connection lost, or a sentence."""
    try:
        yield
    except libvirt.libvirtError as error:
        raise translate(error, server_id) from error


def translate(error: libvirt.libvirtError, server_id: str = "") -> Exception:
    """Return the error of ours that says the same."""
    code = error.get_error_code()
    if code == libvirt.VIR_ERR_NO_DOMAIN:
        return GuestNotFound(server_id)
    if code in (libvirt.VIR_ERR_NO_CONNECT, libvirt.VIR_ERR_INVALID_CONN) or error.get_error_domain() in _LOST:
        return HypervisorUnreachable(f"libvirt does not answer: {error.get_error_message()}")
    return DriverError(f"libvirt: {error.get_error_message()}.")


class Connection:
    """One connection that all threads share.

    ``opened`` is called with each new one, before anybody else has it, ``reopened`` when one is there again: what happened between
    the two was not heard. A libvirt that says nothing any more is waited for four times ``keepalive_s``.
    """

    def __init__(self, uri: str, keepalive_s: int = _KEEPALIVE_S) -> None:
        self.uri = uri
        self.opened: Callable[[libvirt.virConnect], None] | None = None
        self.reopened: Callable[[], None] | None = None
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._keepalive_s = keepalive_s
        self._patience_s = keepalive_s * (_KEEPALIVE_MISSES + 1)
        self._lock = threading.Lock()
        self._connect: libvirt.virConnect | None = None
        self._attempt: Future[libvirt.virConnect] | None = None
        self._was_open = False
        _start_loop()

    def get(self) -> libvirt.virConnect:
        """Return a connection that lives; raises HypervisorUnreachable, also when none comes in time."""
        with self._lock:
            if self._connect is not None and self._connect.isAlive():
                return self._connect
            self._connect = None
            if self._attempt is None or self._attempt.done():
                self._attempt = Future()
                threading.Thread(target=self._try, args=(self._attempt,), name="libvirt-open", daemon=True).start()
            attempt = self._attempt
        try:
            return attempt.result(self._patience_s)
        except TimeoutError as error:
            raise HypervisorUnreachable(f"libvirt does not answer at {self.uri}.") from error

    def _try(self, attempt: "Future[libvirt.virConnect]") -> None:
        """Open a connection for all who wait. Keep-alive begins only then and nothing stops a call that hangs: hence the thread."""
        try:
            connect = self._open()
        except BaseException as error:
            attempt.set_exception(error)
            return
        with self._lock:
            self._connect = connect
            again, self._was_open = self._was_open, True
        attempt.set_result(connect)
        if again and self.reopened is not None:
            self.reopened()

    def _open(self) -> libvirt.virConnect:
        with translated():
            connect = libvirt.open(self.uri)
            number = connect.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self._happened, None)
            connect.registerCloseCallback(self._closed, number)
            try:
                if not self.uri.startswith("test:"):
                    connect.setKeepAlive(self._keepalive_s, _KEEPALIVE_MISSES)
                if self.opened is not None:
                    self.opened(connect)
            except BaseException:
                _let_go(connect, number)
                raise
        LOG.info("Connected to libvirt at %s", self.uri)
        return connect

    def _closed(self, connect: libvirt.virConnect, reason: int, number: int) -> None:
        """Runs on the event loop."""
        LOG.warning("The connection to libvirt at %s was lost (reason %d)", self.uri, reason)
        threading.Thread(target=self._come_back, args=(connect, number), name="libvirt-again", daemon=True).start()

    def _come_back(self, lost: libvirt.virConnect, number: int) -> None:
        """Open another connection without waiting to be asked: until then no change of a guest is heard of."""
        _let_go(lost, number)
        del lost
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                self.get()
            except (HypervisorUnreachable, DriverError) as error:
                LOG.debug("No connection to libvirt yet: %s", error)
            else:
                return
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _happened(
        self, _connect: libvirt.virConnect, domain: libvirt.virDomain, event: int, detail: int, _opaque: Any
    ) -> None:
        """Runs on the event loop, which must not wait for libvirt: others look at the event later."""
        state = _EVENTS.get(event)
        if event == libvirt.VIR_DOMAIN_EVENT_STOPPED and detail == libvirt.VIR_DOMAIN_EVENT_STOPPED_CRASHED:
            state = PowerState.CRASHED
        if event == libvirt.VIR_DOMAIN_EVENT_STOPPED and detail == libvirt.VIR_DOMAIN_EVENT_STOPPED_SAVED:
            state = PowerState.SUSPENDED
        if state is not None:
            self.events.put((domain.UUIDString(), state))


def _let_go(connect: libvirt.virConnect, number: int) -> None:
    """Have libvirt forget whom it would call: what it holds for that keeps a lost connection and its file descriptor for ever."""
    for forget in (connect.unregisterCloseCallback, partial(connect.domainEventDeregisterAny, number)):
        with suppress(libvirt.libvirtError):
            forget()


def _start_loop() -> None:
    """Give libvirt a thread for events and keep-alive; it must exist before the first connection."""
    global _loop  # noqa: PLW0603 - libvirt has one event loop per process
    with _loop_lock:
        if _loop is None:
            libvirt.registerErrorHandler(lambda _context, _error: None, None)
            libvirt.virEventRegisterDefaultImpl()
            _loop = threading.Thread(target=_run_loop, name="libvirt-events", daemon=True)
            _loop.start()


def _run_loop() -> None:
    while True:
        try:
            libvirt.virEventRunDefaultImpl()
        except libvirt.libvirtError:
            LOG.exception("libvirt's event loop stumbled")
