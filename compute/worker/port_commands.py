"""The commands about network cards and filters of this host's guests."""

import logging
import threading
from collections.abc import Callable
from typing import Any

from compute.port_messages import AttachInterface, DetachInterface, InterfaceChanged, SetFilters
from compute.virt.driver import Driver
from compute.virt.errors import DriverError, GuestNotFound
from compute.worker.operations import Operations
from compute.worker.reporter import Reporter

LOG = logging.getLogger(__name__)


class PortCommands:
    """Carries them out on one host. Each is harmless the second time and is answered each time.

    ``filtered`` is set when filters came for the first time.
    """

    def __init__(self, driver: Driver, reporter: Reporter, operations: Operations) -> None:
        self._driver = driver
        self._reporter = reporter
        self._operations = operations
        self.filtered = threading.Event()

    def handlers(self) -> dict[type, Callable[[Any], None]]:
        """Return what takes each kind of command."""
        return {AttachInterface: self.attach, DetachInterface: self.detach, SetFilters: self.set_filters}

    def attach(self, command: AttachInterface) -> None:
        """Plug a card in, alone on the server; raises Busy."""
        port_id = command.interface.port_id
        with self._operations.alone(command.server_id):
            given = command.server_id, command.interface, command.groups, command.wishes
            fault = _fault(lambda: self._driver.attach_interface(*given))
        self._answer(command, port_id, True, fault)

    def detach(self, command: DetachInterface) -> None:
        """Take a card out, alone on the server; of a guest that is gone it is out. Raises Busy."""
        with self._operations.alone(command.server_id):
            fault = _fault(lambda: self._driver.detach_interface(command.server_id, command.port_id))
        self._answer(command, command.port_id, False, None if isinstance(fault, GuestNotFound) else fault)

    def set_filters(self, command: SetFilters) -> None:
        """Filter ports from now on; what the host refuses is told in its log, since nobody waits for this."""
        self.filtered.set()
        fault = _fault(lambda: self._driver.set_filters(command.ports, command.groups))
        if fault is not None:
            LOG.error("Filters could not be set: %s", fault)

    def give_up(self, command: Any) -> None:
        """Report a command that was tried often enough."""
        fault = DriverError(f"The hypervisor of host {self._reporter.host} could not be reached.")
        if isinstance(command, AttachInterface):
            self._answer(command, command.interface.port_id, True, fault)
        elif isinstance(command, DetachInterface):
            self._answer(command, command.port_id, False, fault)

    def _answer(
        self, command: AttachInterface | DetachInterface, port_id: str, attached: bool, fault: DriverError | None
    ) -> None:
        if fault is not None:
            LOG.warning("%s failed: %s", type(command).__name__, fault)
        told = None if fault is None else str(fault)
        self._reporter.send(
            InterfaceChanged(self._reporter.host, command.server_id, command.request_id, port_id, attached, told)
        )


def _fault(work: Callable[[], None]) -> DriverError | None:
    """Return what went wrong for good, or None."""
    try:
        work()
    except DriverError as error:
        return error
    return None
