"""The connection to libvirt: opened when needed, watched by keep-alive, opened again after a loss.

libvirt: html/libvirt-libvirt-host.html#virConnectSetKeepAlive, html/libvirt-libvirt-event.html
"""

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import libvirt

from compute.states import PowerState
from compute.virt.errors import DriverError, GuestNotFound, HypervisorUnreachable

LOG = logging.getLogger(__name__)

_KEEPALIVE_S = 5
_KEEPALIVE_MISSES = 3

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
    """One connection that all threads share. ``opened`` is called with each new one, before anybody else has it."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.opened: Callable[[libvirt.virConnect], None] | None = None
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._connect: libvirt.virConnect | None = None
        _start_loop()

    def get(self) -> libvirt.virConnect:
        """Return a connection that lives; raises HypervisorUnreachable."""
        with self._lock:
            connect = self._connect
            if connect is None or not connect.isAlive():
                self._connect = None
                connect = self._open()
                if self.opened is not None:
                    with translated():
                        self.opened(connect)
                self._connect = connect
            return connect

    def _open(self) -> libvirt.virConnect:
        with translated():
            connect = libvirt.open(self.uri)
            connect.registerCloseCallback(self._closed, None)
            connect.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self._happened, None)
            if not self.uri.startswith("test:"):
                connect.setKeepAlive(_KEEPALIVE_S, _KEEPALIVE_MISSES)
        LOG.info("Connected to libvirt at %s", self.uri)
        return connect

    def _closed(self, _connect: libvirt.virConnect, reason: int, _opaque: Any) -> None:
        LOG.warning("The connection to libvirt at %s was lost (reason %d)", self.uri, reason)

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
