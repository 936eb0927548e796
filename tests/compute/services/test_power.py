"""Starting, stopping, restarting: one command each, and the outcome that the host tells."""

import pytest

from compute.messages import PowerOff, PowerOn, Reboot
from compute.models import ServerFault
from compute.services import power
from compute.states import Action, PowerState, TaskState, VmState
from portal.core.errors import Conflict, Forbidden
from tests.kit.compute import ServerFactory, member


def test_starting_a_stopped_server_sends_one_command(cloud, hosts, commits):
    server = ServerFactory(vm_state=VmState.STOPPED)
    ctx = cloud.again()
    with commits():
        power.start(ctx=ctx, server=server)
    server.refresh_from_db()
    assert server.task_state == TaskState.POWERING_ON
    assert hosts[server.host].commands == [PowerOn(server.pk, ctx.request_id)]


@pytest.mark.parametrize(
    ("perform", "action", "before", "after", "kind"),
    [
        (power.start, Action.START, VmState.STOPPED, VmState.ACTIVE, PowerOn),
        (power.stop, Action.STOP, VmState.ACTIVE, VmState.STOPPED, PowerOff),
        (power.reboot, Action.REBOOT, VmState.ACTIVE, VmState.ACTIVE, Reboot),
    ],
)
@pytest.mark.parametrize("order", ["once", "twice", "with a stale one before"])
def test_the_report_ends_the_operation_whatever_else_arrives(cloud, perform, action, before, after, kind, order):
    server = ServerFactory(vm_state=before)
    with cloud.commits():
        perform(ctx=cloud.again(), server=server)
    server = cloud.fresh(server)
    assert isinstance(cloud.box.commands[-1], kind)
    if order == "with a stale one before":
        cloud.tell(cloud.box.finished(server, action, "old", request_id="req-of-before"))
        assert cloud.fresh(server).task_state is not None
    for _ in range(2 if order == "twice" else 1):
        cloud.tell(cloud.box.finished(server, action))
    server = cloud.fresh(server)
    assert (server.vm_state, server.task_state) == (after, None)
    log = server.actions.get(action=action)
    assert log.finished_at is not None
    assert [event.result for event in log.events.all()] == ["Success"]


def test_a_failed_start_leaves_the_server_as_its_guest_is(cloud):
    server = ServerFactory(vm_state=VmState.STOPPED)
    with cloud.commits():
        power.start(ctx=cloud.again(), server=server)
    server = cloud.fresh(server)
    cloud.tell(cloud.box.finished(server, Action.START, "No KVM here.", power_state=PowerState.SHUTDOWN))
    server = cloud.fresh(server)
    assert (server.vm_state, server.task_state) == (VmState.STOPPED, None)
    assert ServerFault.objects.get(server=server).message == "No KVM here."
    assert server.actions.get().message == "Error"


def test_a_server_that_was_never_built_cannot_be_stopped(cloud):
    server = ServerFactory(vm_state=VmState.ERROR, host=None)
    with pytest.raises(Conflict, match="not ready"):
        power.stop(ctx=cloud.again(), server=server)


def test_a_stranger_and_a_reader_are_refused(cloud):
    server = ServerFactory()
    for caller in (member("f" * 32), member(roles=frozenset({"reader"}))):
        with pytest.raises(Forbidden):
            power.stop(ctx=caller, server=server)


class TestHardRebootOfABusyServer:
    STUCK = (TaskState.REBOOTING, TaskState.REBOOTING_HARD, TaskState.PAUSING, TaskState.UNPAUSING, TaskState.SUSPENDING)

    def take_over(self, cloud, server):
        before = cloud.fresh(server)
        with cloud.commits():
            power.reboot(ctx=cloud.again(), server=before, hard=True)
        return before, cloud.fresh(server)

    @pytest.mark.parametrize("task_state", [*STUCK, TaskState.RESUMING])
    def test_it_goes_before_what_a_guest_may_be_stuck_in(self, cloud, task_state):
        _before, server = self.take_over(cloud, ServerFactory(task_state=task_state))
        assert server.task_state == TaskState.REBOOTING_HARD
        assert server.status == "HARD_REBOOT"
        assert cloud.box.commands == [Reboot(server.pk, server.request_id, hard=True)]

    @pytest.mark.parametrize("task_state", [TaskState.POWERING_OFF, TaskState.REBUILDING, TaskState.IMAGE_UPLOADING])
    def test_it_waits_for_everything_else(self, cloud, task_state):
        with pytest.raises(Conflict, match=f"Cannot 'reboot' instance .* while it is in task_state {task_state}"):
            self.take_over(cloud, ServerFactory(task_state=task_state))

    def test_a_soft_reboot_still_waits_for_its_turn(self, cloud):
        with pytest.raises(Conflict, match="task_state rebooting"):
            power.reboot(ctx=cloud.again(), server=ServerFactory(task_state=TaskState.REBOOTING))

    def test_what_it_cut_off_ends_with_a_sentence_and_its_report_changes_nothing(self, cloud):
        server = ServerFactory()
        with cloud.commits():
            power.reboot(ctx=cloud.again(), server=server)
        soft, hard = self.take_over(cloud, server)
        log = hard.actions.get(action=Action.REBOOT)
        assert log.message == "Error"
        assert [event.detail for event in log.events.all()] == ["Another operation took the instance first."]
        assert [command.hard for command in cloud.box.commands] == [False, True]
        assert cloud.box.commands[0].order < cloud.box.commands[1].order

        cloud.tell(cloud.box.finished(soft, Action.REBOOT, "given up", power_state=PowerState.SHUTDOWN))
        assert cloud.fresh(server).task_state == TaskState.REBOOTING_HARD
        cloud.tell(cloud.box.finished(hard, Action.REBOOT_HARD))

        server = cloud.fresh(server)
        assert (server.vm_state, server.task_state, server.power_state) == (VmState.ACTIVE, None, PowerState.RUNNING)
        assert not ServerFault.objects.filter(server=server).exists()
        assert [event.result for event in server.actions.get(action=Action.REBOOT_HARD).events.all()] == ["Success"]
