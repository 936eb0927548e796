"""Hosts whose machine is started anew: what becomes of guests that ran, and of those that did not."""

from datetime import timedelta

import pytest
from django.utils import timezone

from compute.messages import Change, GuestChanged, PowerOn
from compute.models import Server
from compute.services import power
from compute.states import Action, PowerState, TaskState, VmState
from tests.kit.compute import ServerFactory

FIRST, SECOND, THIRD = "boot-1", "boot-2", "boot-3"
OFF = PowerState.SHUTDOWN


@pytest.fixture
def now(cloud) -> float:
    """A moment at which the host's first start is settled."""
    at = timezone.now().timestamp()
    cloud.tell(cloud.box.report(at=at, boot_id=FIRST))
    return at


def idle(vm_state: VmState, power_state: PowerState) -> Server:
    return ServerFactory(vm_state=vm_state, power_state=power_state)


def deeds(server: Server) -> list[str]:
    """Return what the actions log says, oldest first."""
    return [action.action for action in server.actions.order_by("pk")]


def state(cloud, server: Server) -> tuple[str, str | None, int]:
    server = cloud.fresh(server)
    return server.vm_state, server.task_state, server.power_state


def test_a_guest_that_ran_before_its_host_was_restarted_starts_again_where_the_host_asks_for_it(cloud, now):
    server = idle(VmState.ACTIVE, PowerState.RUNNING)

    cloud.tell(cloud.box.report({server.pk: OFF}, at=now + 60, boot_id=SECOND, resumes=True))

    assert state(cloud, server) == (VmState.STOPPED, TaskState.POWERING_ON, OFF)
    assert cloud.box.commands == [PowerOn(server.pk, cloud.fresh(server).request_id)]
    assert deeds(server) == ["host_restart", "start"]
    cloud.tell(cloud.box.finished(cloud.fresh(server), Action.START))
    assert state(cloud, server) == (VmState.ACTIVE, None, PowerState.RUNNING)
    assert server.actions.get(action="start").user_name == "conductor"


def test_without_being_asked_it_stays_off_and_the_actions_log_says_why(cloud, now):
    server = idle(VmState.ACTIVE, PowerState.RUNNING)

    cloud.tell(cloud.box.report({server.pk: OFF}, at=now + 60, boot_id=SECOND))

    assert state(cloud, server) == (VmState.STOPPED, None, OFF)
    assert deeds(server) == ["host_restart"]
    assert [event.name for event in server.actions.get().events.all()] == ["compute_host_restart"]
    assert cloud.box.commands == []


@pytest.mark.parametrize(
    ("before", "after", "ends"),
    [
        ((VmState.STOPPED, OFF), OFF, (VmState.STOPPED, None, OFF)),
        ((VmState.PAUSED, PowerState.PAUSED), OFF, (VmState.STOPPED, None, OFF)),
        ((VmState.SUSPENDED, PowerState.SUSPENDED), PowerState.SUSPENDED, (VmState.SUSPENDED, None, PowerState.SUSPENDED)),
        ((VmState.SHELVED, OFF), OFF, (VmState.SHELVED, None, OFF)),
        ((VmState.SOFT_DELETED, OFF), OFF, (VmState.SOFT_DELETED, None, OFF)),
        ((VmState.ACTIVE, PowerState.RUNNING), PowerState.RUNNING, (VmState.ACTIVE, None, PowerState.RUNNING)),
    ],
)
def test_what_did_not_run_or_runs_already_is_not_started(cloud, now, before, after, ends):
    server = idle(*before)

    cloud.tell(cloud.box.report({server.pk: after}, at=now + 60, boot_id=SECOND, resumes=True))

    assert state(cloud, server) == ends
    assert cloud.box.commands == []


def test_a_guest_whose_memory_was_saved_as_the_host_went_down_goes_on_where_it_was(cloud, now):
    server = idle(VmState.ACTIVE, PowerState.RUNNING)

    cloud.tell(cloud.box.report({server.pk: PowerState.SUSPENDED}, at=now + 60, boot_id=SECOND, resumes=True))

    assert state(cloud, server)[:2] == (VmState.SUSPENDED, TaskState.RESUMING)
    assert cloud.box.commands == [Change(server.pk, cloud.fresh(server).request_id, Action.RESUME)]


@pytest.mark.parametrize("vm_state", [VmState.RESCUED, VmState.RESIZED])
def test_one_that_is_rescued_or_waits_to_be_confirmed_runs_again_as_that(cloud, now, vm_state):
    server = idle(vm_state, PowerState.RUNNING)

    cloud.tell(cloud.box.report({server.pk: OFF}, at=now + 60, boot_id=SECOND, resumes=True))
    assert state(cloud, server) == (vm_state, None, OFF)
    [command] = cloud.box.commands
    cloud.tell(cloud.box.finished(server, Action.START, request_id=command.request_id))
    cloud.tell(GuestChanged("host-1", server.pk, PowerState.RUNNING, now + 70))

    assert state(cloud, server) == (vm_state, None, PowerState.RUNNING)
    assert (type(command), command.as_it_is) == (PowerOn, True)
    assert command.order == cloud.fresh(server).operation_order, "one that comes late does not start what was stopped since"


def test_reports_that_come_twice_late_or_together_start_a_guest_once(cloud, now):
    server = idle(VmState.ACTIVE, PowerState.RUNNING)
    older = cloud.box.report({server.pk: PowerState.RUNNING}, at=now + 50, boot_id=FIRST, resumes=True)
    first, second = (
        cloud.box.report({server.pk: OFF}, at=now + seconds, boot_id=SECOND, resumes=True) for seconds in (60, 61)
    )

    for report in (first, older, first, second, older, first):
        cloud.tell(report)

    assert deeds(server) == ["host_restart", "start"]
    assert len(cloud.box.commands) == 1
    cloud.host.refresh_from_db()
    assert cloud.host.boot_id == SECOND


def test_a_conductor_that_died_before_all_guests_were_looked_at_goes_on_with_the_next_report(cloud, now):
    done, left = (idle(VmState.ACTIVE, PowerState.RUNNING) for _ in range(2))
    guests = {done.pk: OFF, left.pk: OFF}
    cloud.tell(cloud.box.report(guests, at=now + 60, boot_id=SECOND, resumes=True))
    # What it looks like when only the first was written down before the end.
    cloud.host.boot_id = FIRST
    cloud.host.save(update_fields=["boot_id"])
    Server.objects.filter(pk=left.pk).update(vm_state=VmState.ACTIVE, power_state=PowerState.RUNNING, task_state=None)
    Server.objects.filter(pk=left.pk).update(observed_at=None)
    left.actions.all().delete()

    cloud.tell(cloud.box.report(guests, at=now + 70, boot_id=SECOND, resumes=True))

    assert deeds(done) == deeds(left) == ["host_restart", "start"]


def test_a_host_that_is_restarted_twice_starts_its_guests_each_time(cloud, now):
    server = idle(VmState.ACTIVE, PowerState.RUNNING)

    for boot_id, seconds in ((SECOND, 60), (THIRD, 120)):
        cloud.tell(cloud.box.report({server.pk: OFF}, at=now + seconds, boot_id=boot_id, resumes=True))
        cloud.tell(cloud.box.finished(cloud.fresh(server), Action.START))

    assert state(cloud, server) == (VmState.ACTIVE, None, PowerState.RUNNING)
    assert deeds(server) == ["host_restart", "start"] * 2


def test_a_second_restart_in_the_middle_leaves_the_start_to_its_command(cloud, now):
    server = idle(VmState.ACTIVE, PowerState.RUNNING)

    for boot_id, seconds in ((SECOND, 60), (THIRD, 120)):
        cloud.tell(cloud.box.report({server.pk: OFF}, at=now + seconds, boot_id=boot_id, resumes=True))

    assert len(cloud.box.commands) == 1, "the queue brings it again"
    cloud.tell(cloud.box.finished(cloud.fresh(server), Action.START))
    assert state(cloud, server) == (VmState.ACTIVE, None, PowerState.RUNNING)


def test_a_server_that_is_worked_on_as_its_host_restarts_ends_as_its_operation_does(cloud, now):
    server = cloud.build()
    with cloud.commits():
        power.stop(ctx=cloud.again(), server=server)

    cloud.tell(cloud.box.report({server.pk: OFF}, at=now + 60, boot_id=SECOND, resumes=True))
    cloud.tell(cloud.box.finished(cloud.fresh(server), Action.STOP))
    cloud.tell(cloud.box.report({server.pk: OFF}, at=now + 70, boot_id=SECOND, resumes=True))

    assert state(cloud, server) == (VmState.STOPPED, None, OFF)
    assert deeds(server) == ["create", "stop"]


def test_a_guest_that_cannot_be_started_again_is_off_with_a_sentence(cloud, now):
    server = idle(VmState.ACTIVE, PowerState.RUNNING)
    cloud.tell(cloud.box.report({server.pk: OFF}, at=now + 60, boot_id=SECOND, resumes=True))

    cloud.tell(cloud.box.finished(cloud.fresh(server), Action.START, "The range is in use.", power_state=OFF))

    assert state(cloud, server) == (VmState.STOPPED, None, OFF)
    assert server.actions.get(action="start").events.get().detail == "The range is in use."


@pytest.mark.parametrize("boot_id", [FIRST, ""])
def test_a_guest_that_goes_off_on_a_host_that_stays_up_is_left_off(cloud, now, boot_id):
    server = idle(VmState.ACTIVE, PowerState.RUNNING)

    cloud.tell(cloud.box.report({server.pk: OFF}, at=now + 60, boot_id=boot_id, resumes=True))

    assert state(cloud, server) == (VmState.STOPPED, None, OFF)
    assert deeds(server) == ["stop"]


def test_the_first_boot_id_that_is_heard_of_a_host_starts_nothing(cloud):
    server = idle(VmState.ACTIVE, PowerState.RUNNING)

    cloud.tell(cloud.box.report({server.pk: OFF}, at=(timezone.now() + timedelta(seconds=60)).timestamp(), boot_id=FIRST))

    assert deeds(server) == ["stop"]
    cloud.host.refresh_from_db()
    assert cloud.host.boot_id == FIRST
