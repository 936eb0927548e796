"""Pausing, suspending, locking, resetting, crash dumps and deletion that can be undone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from compute.messages import Change, CrashDump, Destroy, EndResize
from compute.models import Server
from compute.services import (
    administration,
    deferred,
    lifecycle,
    locks,
    power,
    resizing,
    rest,
    shelving,
    signals,
    snapshots,
    sweeps,
)
from compute.services.invariants import operations_are_logged
from compute.states import Action, PowerState, TaskState, VmState
from images.models import Image
from portal.core.errors import Conflict, Forbidden
from tests.kit.compute import FlavorFactory, ServerFactory, member


@pytest.mark.parametrize(
    ("perform", "action", "before", "after", "power_state"),
    [
        (rest.pause, Action.PAUSE, VmState.ACTIVE, VmState.PAUSED, PowerState.PAUSED),
        (rest.unpause, Action.UNPAUSE, VmState.PAUSED, VmState.ACTIVE, PowerState.RUNNING),
        (rest.suspend, Action.SUSPEND, VmState.ACTIVE, VmState.SUSPENDED, PowerState.SUSPENDED),
        (rest.resume, Action.RESUME, VmState.SUSPENDED, VmState.ACTIVE, PowerState.RUNNING),
        (deferred.restore, Action.RESTORE, VmState.SOFT_DELETED, VmState.ACTIVE, PowerState.RUNNING),
    ],
)
@pytest.mark.parametrize("order", ["once", "twice", "with a stale one before"])
def test_one_command_and_one_outcome_whatever_else_arrives(cloud, perform, action, before, after, power_state, order):
    server = ServerFactory(vm_state=before)
    with cloud.commits():
        perform(ctx=cloud.again(), server=server)
    server = cloud.fresh(server)
    assert cloud.box.commands == [Change(server.pk, server.request_id, action)]
    if order == "with a stale one before":
        cloud.tell(cloud.box.finished(server, action, "old", request_id="req-of-before"))
        assert cloud.fresh(server).task_state is not None
    for _ in range(2 if order == "twice" else 1):
        cloud.tell(cloud.box.finished(server, action, power_state=power_state))
    server = cloud.fresh(server)
    assert (server.vm_state, server.task_state, server.power_state) == (after, None, power_state)
    assert [event.result for event in server.actions.get(action=action).events.all()] == ["Success"]


def test_a_suspend_that_fails_leaves_the_server_as_its_guest_is(cloud):
    server = ServerFactory()
    with cloud.commits():
        rest.suspend(ctx=cloud.again(), server=server)
    server = cloud.fresh(server)
    cloud.tell(cloud.box.finished(server, Action.SUSPEND, "The disk of this host is full.", power_state=PowerState.PAUSED))
    assert cloud.fresh(server).vm_state == VmState.PAUSED


def test_a_guest_whose_memory_lies_on_disk_is_suspended(cloud):
    server = ServerFactory()
    cloud.tell(cloud.box.report({server.pk: PowerState.SUSPENDED}))
    assert cloud.fresh(server).vm_state == VmState.SUSPENDED


@pytest.mark.parametrize(("vm_state", "ends"), [(VmState.PAUSED, VmState.ERROR), (VmState.RESIZED, VmState.RESIZED)])
def test_a_resting_guest_that_two_reports_do_not_know_is_lost(cloud, vm_state, ends):
    server = ServerFactory(vm_state=vm_state)
    for seconds in (1, 2):
        cloud.tell(cloud.box.report({}, at=timezone.now().timestamp() + seconds))
    assert cloud.fresh(server).vm_state == ends


class TestLocks:
    def test_the_owner_is_kept_out_until_he_unlocks(self, cloud):
        server = ServerFactory()
        locks.lock(ctx=cloud.again(), server=server, reason="audit")
        server = cloud.fresh(server)
        assert (server.locked, server.locked_by, server.locked_reason) == (True, "owner", "audit")
        with pytest.raises(Conflict, match="is locked"):
            power.stop(ctx=cloud.again(), server=server)
        locks.unlock(ctx=cloud.again(), server=server)
        server = cloud.fresh(server)
        assert (server.locked, server.locked_by, server.locked_reason) == (False, None, None)
        assert set(server.actions.values_list("action", flat=True)) == {"lock", "unlock"}
        assert list(operations_are_logged()) == []

    def test_what_an_operator_locked_the_owner_does_not_unlock(self, cloud, operator):
        server = ServerFactory()
        locks.lock(ctx=operator, server=server)
        locks.lock(ctx=cloud.again(), server=cloud.fresh(server), reason="mine")
        server = cloud.fresh(server)
        assert (server.locked_by, server.locked_reason) == ("admin", None)
        with pytest.raises(Forbidden):
            locks.unlock(ctx=cloud.again(), server=server)
        locks.unlock(ctx=operator, server=server)
        assert not cloud.fresh(server).locked

    def test_an_operator_unlocks_what_the_owner_locked(self, cloud, operator):
        server = ServerFactory()
        locks.lock(ctx=cloud.again(), server=server)
        locks.unlock(ctx=operator, server=cloud.fresh(server))
        assert not cloud.fresh(server).locked


class TestReset:
    @pytest.mark.parametrize("vm_state", [VmState.ACTIVE, VmState.ERROR])
    def test_what_was_running_is_over_and_its_report_changes_nothing(self, cloud, operator, vm_state):
        server = ServerFactory(vm_state=VmState.STOPPED)
        with cloud.commits():
            power.start(ctx=cloud.again(), server=server)
        running = cloud.fresh(server)
        administration.reset_state(ctx=operator, server=running, vm_state=vm_state)
        cloud.tell(cloud.box.finished(running, Action.START, power_state=PowerState.RUNNING))
        server = cloud.fresh(server)
        assert (server.vm_state, server.task_state) == (vm_state, None)
        assert set(server.actions.values_list("action", "message")) == {("start", "Error"), ("resetState", None)}
        assert list(operations_are_logged()) == []

    def test_only_operators_do_that(self, cloud):
        with pytest.raises(Forbidden):
            administration.reset_state(ctx=cloud.again(), server=ServerFactory(), vm_state=VmState.ACTIVE)


class TestCrashDump:
    def send(self, cloud, **fields):
        server = ServerFactory(**fields)
        ctx = cloud.again()
        with cloud.commits():
            signals.crash_dump(ctx=ctx, server=server)
        assert cloud.box.commands == [CrashDump(server.pk, ctx.request_id)]
        return server, ctx.request_id

    def test_the_server_stays_what_it_was_and_the_outcome_is_logged(self, cloud):
        server, request_id = self.send(cloud)
        assert (cloud.fresh(server).vm_state, cloud.fresh(server).task_state) == (VmState.ACTIVE, None)
        for _ in range(2):
            cloud.tell(cloud.box.finished(server, Action.TRIGGER_CRASH_DUMP, request_id=request_id))
        row = cloud.fresh(server).actions.get()
        assert [(event.name, event.result) for event in row.events.all()] == [("compute_trigger_crash_dump", "Success")]

    def test_a_host_that_never_answers_is_waited_for_only_so_long(self, cloud):
        server, _request_id = self.send(cloud)
        cloud.fresh(server).actions.update(started_at=timezone.now() - timedelta(hours=1))
        sweeps.sweep()
        assert server.actions.get().message == "Error"

    @pytest.mark.parametrize("fields", [{"vm_state": VmState.STOPPED}, {"task_state": TaskState.REBOOTING}, {"host": None}])
    def test_it_is_for_idle_guests_that_run(self, cloud, fields):
        with pytest.raises(Conflict):
            signals.crash_dump(ctx=cloud.again(), server=ServerFactory(**fields))


class TestDeletionThatCanBeUndone:
    @pytest.fixture(autouse=True)
    def _interval(self, settings):
        settings.RECLAIM_INSTANCE_INTERVAL_S = 600

    def rest(self, cloud, server):
        with cloud.commits():
            lifecycle.delete(ctx=cloud.again(), server=server)
        server = cloud.fresh(server)
        assert server.task_state == TaskState.SOFT_DELETING
        cloud.tell(cloud.box.finished(server, Action.SOFT_DELETE, power_state=PowerState.SHUTDOWN))
        return cloud.fresh(server)

    def test_a_deleted_server_rests_and_comes_back(self, cloud):
        server = self.rest(cloud, cloud.build())
        assert (server.vm_state, server.deleted_at) == (VmState.SOFT_DELETED, None)
        with cloud.commits():
            lifecycle.delete(ctx=cloud.again(), server=server)
            deferred.restore(ctx=cloud.again(), server=server)
        server = cloud.fresh(server)
        cloud.tell(cloud.box.finished(server, Action.RESTORE))
        assert cloud.fresh(server).vm_state == VmState.ACTIVE
        assert cloud.used() == (1, 512, 1)

    def test_when_its_time_is_over_it_goes(self, cloud):
        server = self.rest(cloud, cloud.build())
        sweeps.sweep()
        assert cloud.fresh(server).task_state is None
        Server.objects.filter(pk=server.pk).update(operation_at=timezone.now() - timedelta(seconds=601))
        with cloud.commits():
            sweeps.sweep()
        server = cloud.fresh(server)
        assert isinstance(cloud.box.commands[-1], Destroy)
        cloud.tell(cloud.box.finished(server, Action.DELETE))
        assert cloud.fresh(server).vm_state == VmState.DELETED
        assert cloud.used() == (0, 0, 0)

    def test_it_can_be_made_to_go_at_once(self, cloud):
        server = self.rest(cloud, cloud.build())
        with cloud.commits():
            deferred.force_delete(ctx=cloud.again(), server=server)
        assert isinstance(cloud.box.commands[-1], Destroy)

    def test_of_two_who_delete_it_at_once_neither_is_refused(self, cloud):
        server = cloud.build()
        both_read = [cloud.fresh(server), cloud.fresh(server)]
        with cloud.commits():
            for read in both_read:
                lifecycle.delete(ctx=cloud.again(), server=read)
        assert cloud.fresh(server).task_state == TaskState.SOFT_DELETING
        assert [action.action for action in server.actions.order_by("id")] == [Action.CREATE, Action.SOFT_DELETE]

    @pytest.mark.parametrize("fields", [{"host": None, "vm_state": VmState.ERROR}, {"vm_state": VmState.BUILDING}])
    def test_what_was_never_built_goes_at_once(self, cloud, fields):
        server = ServerFactory(**fields)
        with cloud.commits():
            lifecycle.delete(ctx=cloud.again(), server=server)
        assert cloud.fresh(server).task_state == TaskState.DELETING

    @pytest.mark.parametrize("task_state", [TaskState.REBOOTING, TaskState.POWERING_OFF, TaskState.RESIZE_PREP])
    def test_it_goes_before_whatever_is_done_to_a_server(self, cloud, task_state):
        server = cloud.build()
        Server.objects.filter(pk=server.pk).update(task_state=task_state)
        assert self.rest(cloud, cloud.fresh(server)).vm_state == VmState.SOFT_DELETED

    def test_one_that_rests_already_is_left_alone(self, cloud):
        server = ServerFactory(task_state=TaskState.SOFT_DELETING)
        with cloud.commits():
            lifecycle.delete(ctx=cloud.again(), server=server)
        assert cloud.box.commands == []

    @pytest.mark.parametrize(
        ("copy", "status", "stays"),
        [
            (snapshots.create_image, "saving", False),
            (snapshots.create_image, "active", True),
            (shelving.shelve, "saving", False),
            (shelving.shelve, "active", False),
        ],
    )
    def test_a_copy_that_it_cut_off_is_not_left_behind(self, cloud, copy, status, stays):
        server = cloud.build()
        with cloud.commits():
            copy(ctx=cloud.again(), server=server, **({} if copy is shelving.shelve else {"name": "copy"}))
        copying = cloud.fresh(server)
        image = Image.objects.filter(pk=copying.operation_details["image_id"])
        image.update(status=status, size=1024, checksum="0" * 32, os_hash_algo="sha512", os_hash_value="0" * 128)

        server = self.rest(cloud, cloud.fresh(server))

        assert image.present().exists() == stays
        cut = server.actions.get(request_id=copying.request_id)
        assert [event.detail for event in cut.events.filter(result="Error")] == ["Another operation took the instance first."]
        cloud.tell(cloud.box.finished(copying, Action(copying.operation), "given up"))
        assert cloud.fresh(server).vm_state == VmState.SOFT_DELETED
        assert list(operations_are_logged()) == []

    def test_a_resize_that_it_cut_off_is_undone_when_the_server_comes_back(self, cloud):
        server = cloud.build()
        with cloud.commits():
            resizing.resize(ctx=cloud.again(), server=server, flavor_id=FlavorFactory(ram_mb=1024, vcpus=2).flavor_id)
        server = self.rest(cloud, cloud.fresh(server))
        with cloud.commits():
            deferred.restore(ctx=cloud.again(), server=server)
        server = cloud.fresh(server)
        cloud.tell(cloud.box.finished(server, Action.RESTORE))
        server = cloud.fresh(server)
        assert (server.vm_state, server.ram_mb) == (VmState.ACTIVE, 512)
        assert isinstance(cloud.box.commands[-1], EndResize)
        assert cloud.box.commands[-1].action == Action.REVERT_RESIZE
        assert cloud.used() == (1, 512, 1)

    def test_a_stranger_can_neither_restore_nor_force(self, cloud):
        server = ServerFactory(vm_state=VmState.SOFT_DELETED)
        for perform in (deferred.restore, deferred.force_delete):
            with pytest.raises(Forbidden):
                perform(ctx=member("f" * 32), server=server)
