"""The commands that give a guest another size, and those that end it: confirm and revert.

They may come in any order, long after each other. A resize that was ended is noted, so that a copy of its command that comes later
does nothing any more.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from compute.messages import EndResize, Resize
from compute.states import Action, PowerState
from compute.virt.driver import Driver
from compute.virt.errors import DriverError
from compute.worker.commands import Commands
from compute.worker.ledger import Ledger
from compute.worker.operations import Operations


@dataclass(frozen=True)
class Ended:
    """A resize that was confirmed or reverted, as the ledger knows it; its token stands for the request."""

    action: ClassVar = "ended resize"
    server_id: str
    request_id: str


class ResizeCommands:
    """Carries them out on one host, by the way of its other ``commands``."""

    def __init__(self, driver: Driver, commands: Commands, operations: Operations, ledger: Ledger) -> None:
        self._driver = driver
        self._commands = commands
        self._operations = operations
        self._ledger = ledger

    def handlers(self) -> dict[type, Callable[[Any], None]]:
        """Return what takes each kind of command."""
        return {Resize: self.resize, EndResize: self.end}

    def give_up(self, command: Any) -> None:
        """Report a command that was tried often enough."""
        self._commands.give_up(command)

    def resize(self, command: Resize) -> None:
        """Give a guest another size, unless that was called back."""
        cancelled = self._commands.interrupted(command)

        def work() -> None:
            if self._ledger.outcome(Ended(command.server_id, command.token)) is not None:
                raise DriverError("The resize was called back before it began.")
            self._driver.resize(command.server_id, command.size, command.token, command.grace_s, cancelled)

        self._commands.carry_out(command, work)

    def end(self, command: EndResize) -> None:
        """Confirm or revert one resize. A guest that was switched off by a later wish stays off."""
        perform = self._driver.confirm_resize if command.action == Action.CONFIRM_RESIZE else self._driver.revert_resize

        def work() -> None:
            self._ledger.note(Ended(command.server_id, command.token), None)
            off = self._overtaken(command) and self._driver.guests().get(command.server_id) == PowerState.SHUTDOWN
            perform(command.server_id, command.token)
            if off:
                self._driver.power_off(command.server_id, 0)

        self._commands.carry_out(command, work)

    def _overtaken(self, command: EndResize) -> bool:
        """Whether anything was asked of the guest since a resize was called back."""
        return self._ledger.overtaken(replace(command, order=command.since))
