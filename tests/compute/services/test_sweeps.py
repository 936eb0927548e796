"""Repair: lost messages, silent hosts, operations that nobody ends."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from compute.messages import Destroy, PowerOff, PowerOn, Reboot, Spawn
from compute.models import ConsoleToken, PlacementDecision, Server, ServerFault, Service
from compute.network.models import Port
from compute.services import consoles, lifecycle, power, sweeps
from compute.states import Action, TaskState, VmState
from portal.core import bus
from portal.core.models import OutboxMessage
from tests.kit.compute import HostFactory, ServerFactory


@pytest.fixture(autouse=True)
def _no_memory():
    cache.clear()


def age(server: Server, seconds: float) -> None:
    Server.objects.filter(pk=server.pk).update(operation_at=timezone.now() - timedelta(seconds=seconds))


def sweep(cloud) -> None:
    with cloud.commits():
        sweeps.sweep()


def test_a_request_accepted_while_the_queue_is_down_is_sent_later(cloud):
    cloud.hosts.broker.down = True
    server = cloud.create()
    assert OutboxMessage.objects.count() == 1
    cloud.hosts.broker.down = False
    assert bus.resend(timedelta(seconds=-1)) == 1
    assert cloud.hosts.broker.to(lifecycle.BUILD) == [{"server_id": server.pk, "request_id": server.request_id}]
    assert not OutboxMessage.objects.exists()
    assert cloud.place(server).host == "host-1"


def test_a_lost_placement_is_asked_for_again(cloud):
    server = cloud.create()
    cloud.hosts.broker.sent.clear()
    age(server, 30)
    sweep(cloud)
    sweep(cloud)
    assert len(cloud.hosts.broker.to(lifecycle.BUILD)) == 1


@pytest.mark.parametrize(
    ("perform", "before", "kind"),
    [
        (power.start, VmState.STOPPED, PowerOn),
        (power.stop, VmState.ACTIVE, PowerOff),
        (power.reboot, VmState.ACTIVE, Reboot),
        (lifecycle.delete, VmState.ACTIVE, Destroy),
    ],
)
def test_a_lost_command_is_sent_again_a_few_times(cloud, perform, before, kind):
    server = ServerFactory(vm_state=before)
    with cloud.commits():
        perform(ctx=cloud.again(), server=server)
    original = cloud.box.commands[0]
    age(server, 25)
    for _ in range(3):
        sweep(cloud)
    assert cloud.box.commands == [original, original]
    age(server, 50)
    sweep(cloud)
    assert len(cloud.box.commands) == 3
    assert all(isinstance(command, kind) for command in cloud.box.commands)


def test_a_lost_build_is_sent_again_to_its_host(cloud):
    server = cloud.place(cloud.create())
    age(server, 30)
    sweep(cloud)
    first, second = cloud.box.commands
    assert isinstance(second, Spawn)
    assert (first.server_id, first.request_id) == (second.server_id, second.request_id)


def test_a_build_that_stands_still_ends_with_a_sentence(cloud):
    server = cloud.place(cloud.create())
    age(server, 4000)
    sweep(cloud)
    server = cloud.fresh(server)
    assert (server.status, server.task_state, server.host) == ("ERROR", None, None)
    assert "no progress for 1800 seconds" in ServerFault.objects.get(server=server).message
    assert cloud.used() == (0, 0, 0)
    assert not Port.objects.exists()
    assert isinstance(cloud.box.commands[-1], Destroy)
    cloud.tell(cloud.box.finished(server, Action.CREATE))
    assert cloud.fresh(server).status == "ERROR"


def test_an_operation_without_an_answer_ends_with_a_sentence(cloud):
    server = ServerFactory(vm_state=VmState.STOPPED)
    with cloud.commits():
        power.start(ctx=cloud.again(), server=server)
    age(server, 4000)
    sweep(cloud)
    server = cloud.fresh(server)
    assert (server.status, server.task_state, server.host) == ("ERROR", None, "host-1")
    assert "did not answer within 180 seconds" in server.fault.message


def test_a_deletion_that_was_given_up_ends_when_the_host_answers_after_all(cloud):
    server = cloud.build()
    with cloud.commits():
        lifecycle.delete(ctx=cloud.again(), server=server)
    age(server, 4000)
    sweep(cloud)
    server = cloud.fresh(server)
    assert server.status == "ERROR"
    assert cloud.used() == (1, 512, 1)
    cloud.tell(cloud.box.finished(server, Action.DELETE))
    assert cloud.fresh(server).deleted_at is not None
    assert cloud.used() == (0, 0, 0)


def test_builds_leave_a_silent_host_and_end_when_no_other_answers(cloud):
    HostFactory(name="host-2", memory_mb=1024)
    server = cloud.place(cloud.create())
    Service.objects.filter(host="host-1").update(seen_at=timezone.now() - timedelta(minutes=5))
    age(server, 60)
    sweep(cloud)
    server = cloud.fresh(server)
    assert (server.host, server.task_state) == (None, TaskState.SCHEDULING)
    server = cloud.place(server)
    assert server.host == "host-2"
    Service.objects.filter(host="host-2").update(seen_at=timezone.now() - timedelta(minutes=5))
    age(server, 60)
    sweep(cloud)
    server = cloud.place(cloud.fresh(server))
    assert server.status == "ERROR"
    assert server.fault.message.startswith("No valid host was found.")
    assert PlacementDecision.objects.filter(server=server).count() == 3
    assert cloud.used() == (0, 0, 0)


def test_old_console_tokens_go(cloud):
    consoles.issue(ctx=cloud.ctx, server=cloud.build())
    sweep(cloud)
    assert ConsoleToken.objects.count() == 1
    ConsoleToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    sweep(cloud)
    assert not ConsoleToken.objects.exists()
