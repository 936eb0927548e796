"""Commands and reports that arrive in any order, several times, also long after what they are about: the last wish counts.

A host without processes: what was sent to it is kept and handed over when the test says so, and so is what it reports.
"""

import http.server
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from compute.messages import Spawn
from compute.models import Flavor, Server
from compute.services import claims, deferred, lifecycle, power, rebuilding, rescuing, resizing, shelving, snapshots, sweeps
from compute.states import TRANSITIONS, Action, PowerState, VmState, refusal, resting
from compute.virt.fake import FakeDriver
from compute.worker.build import Builder
from compute.worker.commands import Commands
from compute.worker.copies import CopyCommands
from compute.worker.ledger import Ledger
from compute.worker.operations import Operations
from compute.worker.resizes import ResizeCommands
from images.models import Image
from images.states import ImageStatus
from tests.compute.virt import samples
from tests.kit.compute import Cloud, FlavorFactory, ServerFactory, make_image


def rebuild(*, ctx: Any, server: Server) -> None:
    """Rebuild a server from the image that it does not have."""
    other = Image.objects.exclude(pk=server.image_id).exclude(name="copy").earliest("created_at")
    rebuilding.rebuild(ctx=ctx, server=server, image_id=other.pk)


def resize(*, ctx: Any, server: Server) -> None:
    """Resize a server to the flavor that it does not have."""
    other = Flavor.objects.exclude(flavor_id=server.flavor_id).get()
    resizing.resize(ctx=ctx, server=server, flavor_id=other.flavor_id)


PERFORM = {
    Action.START: power.start,
    Action.STOP: power.stop,
    Action.REBOOT: power.reboot,
    Action.REBOOT_HARD: lambda **given: power.reboot(**given, hard=True),
    Action.SOFT_DELETE: lifecycle.delete,
    Action.RESTORE: deferred.restore,
}
EXCHANGES = {
    Action.REBUILD: rebuild,
    Action.RESIZE: resize,
    Action.CONFIRM_RESIZE: resizing.confirm,
    Action.REVERT_RESIZE: resizing.revert,
    Action.SHELVE: shelving.shelve,
    Action.UNSHELVE: shelving.unshelve,
    Action.RESCUE: rescuing.rescue,
    Action.UNRESCUE: rescuing.unrescue,
    Action.CREATE_IMAGE: lambda **given: snapshots.create_image(**given, name="copy"),
}
OFF = (Action.STOP, Action.SOFT_DELETE, Action.SHELVE)
AS_IT_WAS = (Action.REBUILD, Action.RESIZE, Action.CONFIRM_RESIZE, Action.REVERT_RESIZE, Action.CREATE_IMAGE)


@pytest.fixture(autouse=True)
def _interval(settings: Any) -> None:
    settings.RECLAIM_INSTANCE_INTERVAL_S = 600


@pytest.fixture(scope="module")
def image_service() -> Iterator[str]:
    """Takes whatever is sent."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *words: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


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

    def now(self) -> float:
        return time.time()

    def carry_out(self, command: Any) -> None:
        operations = Operations()
        builder = Builder(self.driver, None, self, operations)
        ledger = Ledger(self.folder / "_ledger")
        commands = Commands(self.driver, builder, self, operations, ledger=ledger)
        copies = CopyCommands(self.driver, commands, self, operations, images=None, builder=builder, instances=self.folder)
        resizes = ResizeCommands(self.driver, commands, operations, ledger)
        handlers = commands.handlers() | copies.handlers() | resizes.handlers()
        handlers[type(command)](command)


@dataclass
class Life:
    """One server, what was asked of it, and what is still on its way in either direction."""

    cloud: Cloud
    host: Host
    order: list[int]
    last: Action = Action.CREATE

    def __post_init__(self) -> None:
        self.server = ServerFactory(image_id=self.cloud.image.pk)
        claims.take(self.server, "host-1")
        image = replace(samples.guest().image, id=self.cloud.image.pk)
        guest = replace(samples.guest(), server_id=self.server.pk, image=image)
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
            with self.cloud.commits():
                sweeps.expire(server, Action(server.operation), 1)
            server = self.cloud.fresh(server)
        if refusal(action, server.vm_state, server.task_state) is None:
            with self.cloud.commits():
                (PERFORM | EXCHANGES)[action](ctx=self.cloud.again(), server=server)
            self.last = action

    def deliver(self) -> None:
        """Hand one of the commands over, and one of the reports: any, whether or not it was handed over before."""
        if self.commands:
            self.host.carry_out(self.commands[self._any(len(self.commands))])
        self.cloud.tell(self.host.reports[self._any(len(self.host.reports))])

    def go_through(self, wishes: list[tuple[Action, int]]) -> None:
        """Ask for each in turn, with so many deliveries after it, and hand everything over in the end."""
        for action, deliveries in wishes:
            self.wish(action)
            for _ in range(deliveries):
                self.deliver()
        self.deliver_all()

    def deliver_all(self) -> None:
        """Hand everything over, and what follows from that."""
        commands, reports = 0, 0
        while self.commands[commands:]:
            new, commands = self.commands[commands:], len(self.commands)
            for command in self._shuffled(new):
                self.host.carry_out(command)
            told, reports = self.host.reports[reports:], len(self.host.reports)
            for report in self._shuffled(told):
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
        life.go_through(wishes)

        server = cloud.fresh(life.server)
        power_state = PowerState.SHUTDOWN if life.last in OFF else PowerState.RUNNING
        assert host.driver.guests() == {server.pk: power_state}
        assert (server.vm_state, server.task_state) == (TRANSITIONS[life.last].then, None)
        assert server.power_state == power_state
        assert not server.actions.filter(finished_at=None).exists()
        assert [row.message for row in server.actions.all()[:1]] in ([], [None])
        transaction.set_rollback(True)


ALL = st.lists(st.tuples(st.sampled_from([*PERFORM, *EXCHANGES, *EXCHANGES]), st.integers(0, 3)), min_size=2, max_size=6)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(ALL, st.lists(st.integers(0, 20), min_size=5, max_size=12))
@example([(Action.REBUILD, 0), (Action.SOFT_DELETE, 0)], [1, 0, 1, 0, 1])
@example([(Action.REBUILD, 0), (Action.REBOOT_HARD, 0)], [1, 0, 1, 0, 1])
@example([(Action.RESIZE, 3), (Action.REVERT_RESIZE, 0), (Action.SOFT_DELETE, 0), (Action.RESTORE, 0)], [0, 1, 2, 0, 1])
@example([(Action.RESIZE, 0), (Action.SOFT_DELETE, 3), (Action.RESTORE, 0)], [1, 0, 1, 0, 1])
@example([(Action.RESCUE, 0), (Action.SOFT_DELETE, 3), (Action.RESTORE, 0)], [1, 0, 1, 0, 1])
@example([(Action.SHELVE, 2), (Action.UNSHELVE, 0)], [0, 0, 0, 0, 0])
@example([(Action.CREATE_IMAGE, 0), (Action.SOFT_DELETE, 0)], [1, 0, 1, 0, 1])
def test_whatever_is_exchanged_meanwhile_rows_say_what_the_host_has(cloud, image_service, settings, wishes, order):
    settings.PUBLIC_URL = image_service
    with tempfile.TemporaryDirectory() as folder, transaction.atomic():
        FlavorFactory(flavor_id="2", name="other", vcpus=2, ram_mb=1024, root_gb=1)
        make_image(name="other")
        host = Host(Path(folder), FakeDriver(Path(folder)))
        life = Life(cloud, host, list(order))
        life.go_through(wishes)

        require_true(life)
        transaction.set_rollback(True)


def require_true(life: Life) -> None:
    """Everything was told: the last wish counts, nothing goes on, and row and guest are the same."""
    server, guest = life.cloud.fresh(life.server), life.host.driver._guests[life.server.pk]
    then = TRANSITIONS[life.last].then
    if life.last in AS_IT_WAS:
        assert server.vm_state in (then, resting(VmState.ACTIVE, guest.state))
    else:
        assert guest.state == (PowerState.SHUTDOWN if life.last in OFF else PowerState.RUNNING)
        assert server.vm_state == then
    assert (server.task_state, server.power_state, server.rebuild) == (None, guest.state, {})
    assert not server.actions.filter(finished_at=None).exists()
    assert [row.message for row in server.actions.all()[:1]] in ([], [None])
    disk = (life.host.folder / server.pk / "disk").read_text()
    assert disk == f"disk of image {server.image_id}\n"
    if server.vm_state not in (
        VmState.SOFT_DELETED,
        VmState.RESCUED,
    ):  # there a resize or rescue that was cut off is undone when it is restored
        assert (guest.vcpus, guest.memory_mb) == (server.vcpus, server.ram_mb)
        assert (
            not guest.own or server.vm_state == VmState.STOPPED
        )  # what a rescue left that was given up is ended by the next start
    assert not list(claims.astray(type(life.cloud.host).objects.all()))
    kept = Image.objects.present().filter(name="copy", status=ImageStatus.QUEUED).count()
    assert kept <= server.actions.filter(action=Action.CREATE_IMAGE, message=None).count()


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
