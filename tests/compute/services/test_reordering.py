"""Commands and reports that arrive in any order, several times, also long after what they are about: the last wish counts.

A host without processes: what was sent to it is kept and handed over when the test says so, and so is what it reports.
"""

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from compute.messages import Spawn
from compute.services import deferred, lifecycle, power, sweeps
from compute.states import TRANSITIONS, Action, PowerState, VmState, refusal
from compute.virt.fake import FakeDriver
from compute.worker.actors import Commands
from compute.worker.build import Builder
from compute.worker.ledger import Ledger
from compute.worker.operations import Operations
from tests.compute.virt import samples
from tests.kit.compute import Cloud, ServerFactory

PERFORM = {
    Action.START: power.start,
    Action.STOP: power.stop,
    Action.REBOOT: power.reboot,
    Action.REBOOT_HARD: lambda **given: power.reboot(**given, hard=True),
    Action.SOFT_DELETE: lifecycle.delete,
    Action.RESTORE: deferred.restore,
}
OFF = (Action.STOP, Action.SOFT_DELETE)


@pytest.fixture(autouse=True)
def _interval(settings: Any) -> None:
    settings.RECLAIM_INSTANCE_INTERVAL_S = 600


@dataclass
class Host:
    """A host whose process may be another one for each command; what it does is on its disk."""

    folder: Path
    driver: FakeDriver
    reports: list[Any] = field(default_factory=list)
    host: str = "host-1"

    def send(self, report: Any) -> None:
        self.reports.append(report)

    def try_send(self, report: Any) -> bool:
        return True

    def carry_out(self, command: Any) -> None:
        operations = Operations()
        builder = Builder(self.driver, None, self, operations)
        commands = Commands(self.driver, builder, self, operations, ledger=Ledger(self.folder / "_ledger"))
        commands.handlers()[type(command)](command)


@dataclass
class Life:
    """One server, what was asked of it, and what is still on its way in either direction."""

    cloud: Cloud
    host: Host
    order: list[int]
    last: Action = Action.CREATE

    def __post_init__(self) -> None:
        self.server = ServerFactory()
        guest = replace(samples.guest(), server_id=self.server.pk)
        self.host.carry_out(Spawn(self.server.pk, self.server.request_id, guest))
        self.before = len(self.cloud.box.commands)

    @property
    def commands(self) -> list[Any]:
        return self.cloud.box.commands[self.before :]

    def wish(self, action: Action) -> None:
        """Ask for something; what stands in its way is first given up by the sweep. What is not possible even then is not asked for."""
        server = self.cloud.fresh(self.server)
        stands = server.task_state is not None and refusal(action, server.vm_state, server.task_state) is not None
        if stands and refusal(action, VmState.ERROR, None) is None:
            sweeps.expire(server, Action(server.operation), 1)
            server = self.cloud.fresh(server)
        if refusal(action, server.vm_state, server.task_state) is None:
            with self.cloud.commits():
                PERFORM[action](ctx=self.cloud.again(), server=server)
            self.last = action

    def deliver(self) -> None:
        """Hand one of the commands over, and one of the reports: any, whether or not it was handed over before."""
        if self.commands:
            self.host.carry_out(self.commands[self._any(len(self.commands))])
        self.cloud.tell(self.host.reports[self._any(len(self.host.reports))])

    def deliver_all(self) -> None:
        for command in self._shuffled(self.commands):
            self.host.carry_out(command)
        for report in self._shuffled(self.host.reports):
            self.cloud.tell(report)

    def _any(self, number: int) -> int:
        self.order.append(self.order.pop(0))
        return self.order[0] % number

    def _shuffled(self, messages: list[Any]) -> list[Any]:
        left, found = list(messages), []
        while left:
            found.append(left.pop(self._any(len(left))))
        return found + found[:2]


WISHES = st.lists(st.tuples(st.sampled_from(list(PERFORM)), st.integers(0, 2)), min_size=2, max_size=5)
LATE_STOP = [(Action.STOP, 0), (Action.REBOOT_HARD, 0)]


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(WISHES, st.lists(st.integers(0, 20), min_size=5, max_size=12))
@example(LATE_STOP, [1, 0, 1, 0, 1])
@example([(Action.REBOOT, 0), (Action.REBOOT_HARD, 0), (Action.SOFT_DELETE, 0)], [2, 0, 2, 1, 0])
def test_whatever_arrives_when_and_how_often_the_last_wish_counts(cloud, wishes, order):
    with tempfile.TemporaryDirectory() as folder, transaction.atomic():
        host = Host(Path(folder), FakeDriver(Path(folder)))
        life = Life(cloud, host, list(order))
        for action, deliveries in wishes:
            life.wish(action)
            for _ in range(deliveries):
                life.deliver()
        life.deliver_all()

        server = cloud.fresh(life.server)
        power_state = PowerState.SHUTDOWN if life.last in OFF else PowerState.RUNNING
        assert host.driver.guests() == {server.pk: power_state}
        assert (server.vm_state, server.task_state) == (TRANSITIONS[life.last].then, None)
        assert server.power_state == power_state
        assert not server.actions.filter(finished_at=None).exists()
        assert [row.message for row in server.actions.all()[:1]] in ([], [None])
        transaction.set_rollback(True)


def test_a_stop_that_comes_again_after_the_start_that_followed_it_stops_nothing(cloud, tmp_path):
    host = Host(tmp_path, FakeDriver(tmp_path))
    life = Life(cloud, host, [0])
    life.wish(Action.STOP)
    stop = life.commands[0]
    life.wish(Action.REBOOT_HARD)  # the stop was given up: no host answered
    hard = life.commands[1]
    for command in (hard, stop, hard, stop):
        host.carry_out(command)
    for report in host.reports[:0:-1]:
        cloud.tell(report)

    assert host.driver.guests() == {life.server.pk: PowerState.RUNNING}
    server = cloud.fresh(life.server)
    assert (server.vm_state, server.task_state) == (VmState.ACTIVE, None)
    assert [row.message for row in server.actions.all()[:2]] == [None, "Error"]
