"""From the request to the page: service, conductor, a real worker on the fake driver, report, websocket. One process."""

from pathlib import Path

import pytest
from asgiref.sync import sync_to_async

from compute.services import lifecycle, power, resizing, rest
from compute.services.invariants import (
    claims_equal_servers,
    domains_and_rows,
    no_task_for_ever,
    operations_are_logged,
    things_without_owner,
)
from compute.states import BUILD_STAGES, PowerState, TaskState, VmState
from compute.virt.fake import FakeDriver
from compute.worker.actors import register
from compute.worker.build import Builder
from compute.worker.commands import Commands
from compute.worker.copies import CopyCommands
from compute.worker.ledger import Ledger
from compute.worker.operations import Operations
from compute.worker.port_commands import PortCommands
from compute.worker.reporter import Reporter
from compute.worker.resizes import ResizeCommands
from tests.kit.compute import FlavorFactory
from tests.kit.websocket import Page

pytestmark = pytest.mark.django_db(transaction=True)
INVARIANTS = (domains_and_rows, things_without_owner, claims_equal_servers, no_task_for_ever, operations_are_logged)


class Pictures:
    """An image cache that has everything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fetch(self, image, tell):
        path = self.folder / image.id
        path.write_bytes(b"image")
        return path


class Everything:
    """The conductor and one worker, taking messages in turn."""

    def __init__(self, cloud, folder: Path) -> None:
        self.cloud, self.broker, self.taken = cloud, cloud.hosts.broker, 0
        self.driver = FakeDriver(folder)
        reporter, operations = Reporter(self.broker, "host-1"), Operations()
        builder = Builder(self.driver, Pictures(folder), reporter, operations)
        ledger = Ledger(folder / "_ledger")
        commands = Commands(self.driver, builder, reporter, operations, ledger=ledger)
        resizes = ResizeCommands(self.driver, commands, operations, ledger)
        copies = CopyCommands(
            self.driver, commands, reporter, operations, images=Pictures(folder), builder=builder, instances=folder
        )
        register(self.broker, "host-1", commands, PortCommands(self.driver, reporter, operations), resizes, copies)

    def settle(self) -> None:
        """Take messages until none is left."""
        while self.taken < len(self.broker.sent):
            message = self.broker.sent[self.taken]
            self.taken += 1
            with self.cloud.commits():
                self.broker.get_actor(message.actor_name).fn(*message.args, **message.kwargs)

    def twice(self) -> None:
        """Take every message so far once more."""
        self.taken = 0
        self.settle()


@pytest.fixture
def everything(cloud, tmp_path):
    return Everything(cloud, tmp_path)


async def test_a_server_is_built_used_and_deleted_and_a_page_hears_of_it(cloud, everything):
    page = Page("/ws/servers/", cloud.ctx)
    await page.connect()
    server = await sync_to_async(cloud.create)()
    assert await page.receive_json() == {"id": server.pk, "n": 1}
    await sync_to_async(everything.settle)()
    server = await sync_to_async(cloud.fresh)(server)
    assert (server.vm_state, server.power_state) == (VmState.ACTIVE, PowerState.RUNNING)
    heard = 0
    while not await page.receive_nothing(timeout=0.1):
        assert (await page.receive_json())["id"] == server.pk
        heard += 1
    assert heard >= len(BUILD_STAGES)
    await page.disconnect()


def test_every_operation_through_the_whole_chain(cloud, everything):
    server = cloud.create()
    everything.settle()
    server = cloud.fresh(server)
    assert {f"compute_{stage}" for stage in BUILD_STAGES} < set(server.actions.get().events.values_list("name", flat=True))
    assert server.definitions.exists()
    for perform, vm_state in (
        (power.stop, VmState.STOPPED),
        (power.start, VmState.ACTIVE),
        (power.reboot, VmState.ACTIVE),
        (lifecycle.delete, VmState.DELETED),
    ):
        with cloud.commits():
            perform(ctx=cloud.again(), server=cloud.fresh(server))
        everything.settle()
        assert (cloud.fresh(server).vm_state, cloud.fresh(server).task_state) == (vm_state, None)
    assert everything.driver.guests() == {}
    assert cloud.used() == (0, 0, 0)
    assert [sentence for check in INVARIANTS for sentence in check()] == []


def test_a_server_rests_grows_and_goes_back(cloud, everything):
    server = cloud.create()
    everything.settle()
    big = FlavorFactory(vcpus=2, ram_mb=1024, root_gb=2).flavor_id

    def resize(**given):
        resizing.resize(**given, flavor_id=big)

    for perform, vm_state, used in (
        (rest.pause, VmState.PAUSED, (1, 512, 1)),
        (rest.unpause, VmState.ACTIVE, (1, 512, 1)),
        (rest.suspend, VmState.SUSPENDED, (1, 512, 1)),
        (rest.resume, VmState.ACTIVE, (1, 512, 1)),
        (resize, VmState.RESIZED, (3, 1536, 3)),
        (resizing.revert, VmState.ACTIVE, (1, 512, 1)),
        (power.stop, VmState.STOPPED, (1, 512, 1)),
        (resize, VmState.RESIZED, (3, 1536, 3)),
        (resizing.confirm, VmState.STOPPED, (2, 1024, 2)),
    ):
        with cloud.commits():
            perform(ctx=cloud.again(), server=cloud.fresh(server))
        everything.settle()
        assert (cloud.fresh(server).vm_state, cloud.fresh(server).task_state) == (vm_state, None)
        assert cloud.used() == used
        assert [sentence for check in INVARIANTS for sentence in check()] == []
    everything.twice()
    assert (cloud.fresh(server).vm_state, cloud.used()) == (VmState.STOPPED, (2, 1024, 2))


def test_all_messages_a_second_time_change_nothing(cloud, everything):
    kept, gone = cloud.create(), cloud.create()
    everything.settle()
    with cloud.commits():
        lifecycle.delete(ctx=cloud.again(), server=cloud.fresh(gone))
    everything.settle()
    before = [(s.vm_state, s.task_state, s.power_state, s.host) for s in map(cloud.fresh, (kept, gone))]
    everything.twice()
    assert [(s.vm_state, s.task_state, s.power_state, s.host) for s in map(cloud.fresh, (kept, gone))] == before
    assert cloud.used() == (1, 512, 1)


def test_a_delete_right_after_the_request_leaves_nothing(cloud, everything):
    server = cloud.create()
    with cloud.commits():
        lifecycle.delete(ctx=cloud.again(), server=server)
    assert cloud.fresh(server).task_state == TaskState.DELETING
    everything.settle()
    assert cloud.fresh(server).vm_state == VmState.DELETED
    assert everything.driver.guests() == {}
    assert [sentence for check in INVARIANTS for sentence in check()] == []
