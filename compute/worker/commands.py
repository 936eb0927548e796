"""The commands of this host, each carried out once: a command in, a report out.

A final fault becomes a report; a connection that is lost for now is left to rise, so that the command is tried again.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from compute.copy_messages import Rebuild
from compute.messages import (
    UNTOUCHED,
    Change,
    CrashDump,
    Destroy,
    GuestCommand,
    OperationFinished,
    PowerOff,
    PowerOn,
    Reboot,
    Spawn,
)
from compute.states import PowerState
from compute.virt.driver import Built, Cancelled, Driver
from compute.virt.errors import DriverError, HypervisorUnreachable, OperationCancelled
from compute.worker.build import Builder, Timings
from compute.worker.changes import changes_of
from compute.worker.ledger import Ledger
from compute.worker.operations import Operations, Stopping
from compute.worker.reporter import UNREACHABLE, Reporter
from portal.core import faults
from portal.core.faults import Point

LOG = logging.getLogger(__name__)

PASSING = (HypervisorUnreachable, Stopping, *UNREACHABLE)
_TOLD_IN_TURN = (Rebuild,)  # what became of the disks is known once no copy of the command is at them
_HARMLESS = (Destroy,)  # an id is never used twice, and what was built since must still go


@dataclass(frozen=True)
class Begun:
    """A command that was begun, as the ledger knows it."""

    action: ClassVar = "begun"
    server_id: str
    request_id: str


class Commands:
    """Carries commands out on one host, each once: ``ledger`` knows those that ended.

    ``after`` is called when an operation ended, ``before_build`` when one begins.
    """

    def __init__(
        self,
        driver: Driver,
        builder: Builder,
        reporter: Reporter,
        operations: Operations,
        *,
        ledger: Ledger,
        before_build: Callable[[str], None] = lambda _server_id: None,
        after: Callable[[], None] = lambda: None,
    ) -> None:
        self._changes = changes_of(driver)
        self._driver = driver
        self._builder = builder
        self._reporter = reporter
        self._operations = operations
        self._before_build = before_build
        self._after = after
        self._ledger = ledger

    def spawn(self, command: Spawn) -> None:
        """Build and start a guest; one that is there already is a success."""
        timings = Timings()
        built: list[Built] = []

        def work() -> None:
            self._before_build(command.server_id)
            built.append(self._builder.build(command, timings))

        def told(report: OperationFinished) -> OperationFinished:
            return replace(report, definition=built[0].definition if built else None, timings=timings.seconds)

        self.carry_out(command, work, told)

    def destroy(self, command: Destroy) -> None:
        """Remove a guest; one that is not there is a success. What is under way on it is told to end first."""
        if not self._ledger.overtaken(command):
            self._operations.condemn(command.server_id)
        self.carry_out(command, lambda: self._driver.destroy(command.server_id))

    def power_on(self, command: PowerOn) -> None:
        """Start a guest; one that runs already is a success. What a rescue of which nothing was heard left is ended."""
        start = self._driver.power_on if command.as_it_is else self._driver.unrescue
        self.carry_out(command, lambda: start(command.server_id))

    def power_off(self, command: PowerOff) -> None:
        """Shut a guest down; one that is off already is a success."""
        cancelled = self.interrupted(command)
        self.carry_out(command, lambda: self._driver.power_off(command.server_id, command.grace_s, cancelled))

    def reboot(self, command: Reboot) -> None:
        """Restart a guest."""
        cancelled = self.interrupted(command)
        self.carry_out(command, lambda: self._driver.reboot(command.server_id, command.hard, cancelled))

    def change(self, command: Change) -> None:
        """Carry out an action that needs nothing but the guest."""
        self.carry_out(command, lambda: self._changes[command.action](command.server_id))

    def crash_dump(self, command: CrashDump) -> None:
        """Have a guest dump its memory."""
        self.carry_out(command, lambda: self._driver.crash_dump(command.server_id))

    def interrupted(self, command: GuestCommand) -> Cancelled:
        """Return the question "has this command to end": something that was asked of its server later goes before it."""
        condemned = self._operations.cancelled(command.server_id)
        return lambda: condemned() or self._ledger.overtaken(command)

    def handlers(self) -> dict[type, Callable[[Any], None]]:
        """Return what takes each kind of command."""
        return {
            Spawn: self.spawn,
            Destroy: self.destroy,
            PowerOn: self.power_on,
            PowerOff: self.power_off,
            Reboot: self.reboot,
            Change: self.change,
            CrashDump: self.crash_dump,
        }

    def give_up(self, command: Any) -> None:
        """Report a command that was tried often enough."""
        fault = f"The hypervisor of host {self._reporter.host} could not be reached."
        self._reporter.send(self._report(command, fault))

    def carry_out(
        self,
        command: GuestCommand,
        work: Callable[[], object],
        told: Callable[[OperationFinished], OperationFinished] = lambda report: report,
    ) -> None:
        """Do the work and report its outcome, alone on the server.

        A copy of the command that came meanwhile finds the outcome, tells it again and does nothing else. Nor does one that was
        overtaken, and it does not even wait for the server: so of those that one can overtake another, one waits. Raises Busy.
        """
        self._ledger.arrived(command)
        if not isinstance(command, _TOLD_IN_TURN) and self._is_over(command):
            return
        with self._operations.alone(command.server_id):
            if self._is_over(command):
                return
            fault = self._run(command, work)
            faults.reach(Point.WORKED, command.server_id)
            if not isinstance(command, _HARMLESS):
                self._ledger.note(command, fault)
            faults.reach(Point.NOTED, command.server_id)
            self._send(told(self._report(command, fault)))
            faults.reach(Point.TOLD, command.server_id)

    def _is_over(self, command: GuestCommand) -> bool:
        """Tell the outcome of a command for which nothing is to be done any more; False for any other."""
        report = self._known(command)
        if report is None:
            return False
        LOG.info("%s came again or too late; its outcome is told and nothing done", type(command).__name__)
        self._send(report)
        return True

    def _known(self, command: GuestCommand) -> OperationFinished | None:
        """Return what is told of a command for which nothing is to be done any more."""
        outcome = None if isinstance(command, _HARMLESS) else self._ledger.outcome(command)
        if outcome is not None:
            return self._report(command, outcome.fault)
        if not self._ledger.overtaken(command):
            return None
        report = self._report(command, str(OperationCancelled(command.server_id)))
        began = self._ledger.outcome(Begun(command.server_id, command.request_id)) is not None
        return replace(report, facts={UNTOUCHED: not began}) if isinstance(command, Rebuild) else report

    def begins(self, command: GuestCommand) -> None:
        """Note that a command is about to change what a later try cannot bring back."""
        self._ledger.note(Begun(command.server_id, command.request_id), None)

    def _run(self, command: GuestCommand, work: Callable[[], object]) -> str | None:
        """Return what went wrong for good, as a sentence, or None."""
        try:
            work()
        except DriverError as error:
            LOG.warning("%s failed: %s", type(command).__name__, error)
            return str(error)
        except PASSING:
            raise
        except OSError as error:
            LOG.warning("%s failed: %s", type(command).__name__, error)
            return f"Host {self._reporter.host}: {error.strerror or type(error).__name__}."
        except Exception as error:
            LOG.exception("%s failed unexpectedly", type(command).__name__)
            return f"Host {self._reporter.host} failed unexpectedly: {type(error).__name__}."
        return None

    def _send(self, report: OperationFinished) -> None:
        state = self._driver.guests().get(report.server_id, PowerState.NOSTATE)
        definition = report.definition or self._definition(report, state)
        # late, so that what the guest went through in this operation is older news
        told = replace(report, power_state=state, definition=definition, at=self._reporter.now())
        self._reporter.send(told)
        self._after()

    def _definition(self, report: OperationFinished, state: PowerState) -> str | None:
        """Return what a guest runs with after each start, since a start may have changed it."""
        if report.fault is not None or state != PowerState.RUNNING:
            return None
        try:
            return self._driver.definition(report.server_id)
        except DriverError:
            return None

    def _report(self, command: GuestCommand, fault: str | None) -> OperationFinished:
        return OperationFinished(
            host=self._reporter.host,
            server_id=command.server_id,
            request_id=command.request_id,
            action=command.action,
            fault=fault,
            power_state=PowerState.NOSTATE,
            at=self._reporter.now(),
        )
