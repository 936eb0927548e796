"""Commands in, reports out: a whole worker with the fake driver on a real queue."""

import threading
import time
import uuid

import pytest

from compute.messages import (
    BuildPhase,
    Change,
    CrashDump,
    Destroy,
    EndResize,
    GuestChanged,
    HostReport,
    OperationFinished,
    PowerOff,
    PowerOn,
    Reboot,
    Resize,
    host_queue,
)
from compute.states import Action, PowerState, TaskState
from compute.virt.driver import GuestSize
from compute.virt.errors import DriverError, HypervisorUnreachable
from compute.virt.fake import FakeDriver, Pretence
from tests.compute.virt import samples
from tests.compute.worker.world import spawn
from tests.kit.waiting import wait_for


def test_a_life(world):
    _host, conductor = world()
    command = spawn()
    server_id = command.server_id

    built = conductor.outcome(conductor.send(command))
    assert (built.action, built.fault, built.power_state) == (Action.CREATE, None, PowerState.RUNNING)
    assert "<domain" in built.definition
    assert set(built.timings) >= {"networking", "block_device_mapping", "spawning"}
    assert [phase.stage for phase in conductor.of(BuildPhase)] == [
        TaskState.NETWORKING,
        TaskState.BLOCK_DEVICE_MAPPING,
        TaskState.SPAWNING,
    ]
    for command, action, state in [
        (PowerOff(server_id, "req-off", 5), Action.STOP, PowerState.SHUTDOWN),
        (PowerOn(server_id, "req-on"), Action.START, PowerState.RUNNING),
        (Reboot(server_id, "req-soft", False), Action.REBOOT, PowerState.RUNNING),
        (Reboot(server_id, "req-hard", True), Action.REBOOT_HARD, PowerState.RUNNING),
        (Change(server_id, "req-pause", Action.PAUSE), Action.PAUSE, PowerState.PAUSED),
        (Change(server_id, "req-unpause", Action.UNPAUSE), Action.UNPAUSE, PowerState.RUNNING),
        (Change(server_id, "req-suspend", Action.SUSPEND), Action.SUSPEND, PowerState.SUSPENDED),
        (Change(server_id, "req-resume", Action.RESUME), Action.RESUME, PowerState.RUNNING),
        (Resize(server_id, "req-resize", GuestSize(2, 1024, 2, 0, 0, "m1.big"), 5, "one"), Action.RESIZE, PowerState.RUNNING),
        (EndResize(server_id, "req-revert", Action.REVERT_RESIZE, "one"), Action.REVERT_RESIZE, PowerState.RUNNING),
        (EndResize(server_id, "req-confirm", Action.CONFIRM_RESIZE, "one"), Action.CONFIRM_RESIZE, PowerState.RUNNING),
        (CrashDump(server_id, "req-dump"), Action.TRIGGER_CRASH_DUMP, PowerState.RUNNING),
        (Change(server_id, "req-rest", Action.SOFT_DELETE), Action.SOFT_DELETE, PowerState.SHUTDOWN),
        (Change(server_id, "req-restore", Action.RESTORE), Action.RESTORE, PowerState.RUNNING),
        (Destroy(server_id, "req-gone"), Action.DELETE, PowerState.NOSTATE),
    ]:
        outcome = conductor.outcome(conductor.send(command))
        assert (outcome.action, outcome.fault, outcome.power_state) == (action, None, state)


@pytest.mark.parametrize("end", [Action.REVERT_RESIZE, Action.CONFIRM_RESIZE])
def test_a_resize_that_comes_after_its_end_does_nothing_any_more(world, end):
    host, conductor = world()
    command = spawn()
    server_id = command.server_id
    conductor.outcome(conductor.send(command))
    conductor.outcome(conductor.send(EndResize(server_id, "req-back", end, "late")))

    outcome = conductor.outcome(
        conductor.send(Resize(server_id, "req-late", GuestSize(2, 1024, 2, 0, 0, "m1.big"), 5, "late"))
    )

    assert outcome.fault == "The resize was called back before it began."
    assert host.driver.facts().vcpus_used == 1
    newer = conductor.outcome(conductor.send(Resize(server_id, "req-new", GuestSize(2, 1024, 2, 0, 0, "m1.big"), 5, "new")))
    assert newer.fault is None
    assert host.driver.facts().vcpus_used == 2


def test_a_worker_tells_later_times_also_after_its_clock_was_set_back(world, monkeypatch):
    """Newer news must not look older than what it follows."""
    host, conductor = world()
    command = spawn()
    right = time.time
    before = conductor.outcome(conductor.send(command)).at
    monkeypatch.setattr(time, "time", lambda: right() - 3600)
    stopped = conductor.outcome(conductor.send(PowerOff(command.server_id, "req-off", 5))).at
    host.driver.happen(command.server_id, PowerState.CRASHED)
    end = time.monotonic() + 10
    while time.monotonic() < end and not any(r.power_state == PowerState.CRASHED for r in conductor.of(GuestChanged)):
        time.sleep(0.01)
    assert before < stopped < conductor.of(GuestChanged)[-1].at
    times = [report.at for report in conductor.of(HostReport)]
    assert times == sorted(times)


def test_a_doubled_command_has_the_same_outcome(world):
    _host, conductor = world()
    command = spawn()
    conductor.send(command)
    conductor.send(command)
    time.sleep(0.5)

    outcomes = conductor.of(OperationFinished)
    assert [outcome.fault for outcome in outcomes] == [None, None]


def test_a_doubled_reboot_reboots_once(world):
    host, conductor = world()
    command = spawn()
    conductor.outcome(conductor.send(command))
    reboot = Reboot(command.server_id, "req-reboot", True)
    conductor.outcome(conductor.send(reboot))
    conductor.send(reboot)
    time.sleep(0.5)

    assert len([report for report in conductor.of(OperationFinished) if report.request_id == "req-reboot"]) == 2
    assert "boot number 2 " in host.driver.console_log(command.server_id).read_text()


def test_commands_that_wait_for_a_suspend_hold_up_no_start_and_no_delete(world, tmp_path):
    saved = threading.Event()

    class Slow(FakeDriver):
        def suspend(self, server_id):
            saved.wait(60)
            super().suspend(server_id)

    host, conductor = world(Slow(tmp_path / "instances"))
    servers = [spawn(number) for number in range(1, 9)]
    for request in [conductor.send(command) for command in servers]:
        conductor.outcome(request)
    ids = [command.server_id for command in servers]
    for server_id in ids[:5]:
        conductor.send(Change(server_id, f"req-suspend-{server_id}", Action.SUSPEND, order=1))
    wait_for("the suspends to be under way", lambda: host.operations._held.keys() >= set(ids[:5]))
    for order in range(2, 8):
        conductor.send(Reboot(ids[0], f"req-hard-{order}", True, order=order))
    deleted = [conductor.send(Destroy(server_id, f"req-gone-{server_id}", order=2)) for server_id in ids[1:5]]
    time.sleep(1)
    try:
        for request in [conductor.send(PowerOn(ids[5], "req-on")), conductor.send(Destroy(ids[6], "req-gone"))]:
            assert conductor.outcome(request).fault is None
        for order in range(2, 7):
            assert "this was given up" in conductor.outcome(f"req-hard-{order}").fault
    finally:
        saved.set()

    assert [conductor.outcome(request).fault for request in (*deleted, "req-hard-7")] == [None] * 5
    assert host.driver.guests() == dict.fromkeys((ids[0], ids[5], ids[7]), PowerState.RUNNING)


def test_a_failure_is_a_sentence(world, tmp_path):
    driver = FakeDriver(tmp_path / "instances", faults={"fail-spawn": DriverError("The disk of this host is full.")})
    _host, conductor = world(driver)

    outcome = conductor.outcome(conductor.send(spawn(name="fail-spawn")))

    assert outcome.fault == "The disk of this host is full."
    assert outcome.power_state == PowerState.NOSTATE


def test_a_mistake_of_ours_is_a_sentence_too(world, tmp_path):
    driver = FakeDriver(tmp_path / "instances", faults={"fail-spawn": ZeroDivisionError("oops")})
    _host, conductor = world(driver)

    assert (
        conductor.outcome(conductor.send(spawn(name="fail-spawn"))).fault
        == "Host host1 failed unexpectedly: ZeroDivisionError."
    )


def test_a_lost_hypervisor_is_tried_again(world, tmp_path):
    class Flaky(FakeDriver):
        tries = 0

        def spawn(self, *arguments):
            self.tries += 1
            if self.tries < 3:
                raise HypervisorUnreachable("gone")
            return super().spawn(*arguments)

    driver = Flaky(tmp_path / "instances")
    _host, conductor = world(driver)

    outcome = conductor.outcome(conductor.send(spawn()), seconds=20)

    assert outcome.fault is None
    assert driver.tries == 3


def test_a_copy_that_comes_while_the_first_is_under_way_does_nothing(world, tmp_path):
    class Slow(FakeDriver):
        reboots = 0

        def reboot(self, *arguments):
            self.reboots += 1
            time.sleep(0.5)
            return super().reboot(*arguments)

    driver = Slow(tmp_path / "instances")
    _host, conductor = world(driver)
    conductor.outcome(conductor.send(spawn()))
    command = Reboot(spawn().server_id, "req-slow", hard=False)
    for _copy in range(3):
        conductor.send(command)

    deadline = time.monotonic() + 10
    while len([report for report in conductor.of(OperationFinished) if report.request_id == "req-slow"]) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert driver.reboots == 1


def test_a_hypervisor_that_stays_away_is_reported(world, tmp_path, monkeypatch):
    class Gone(FakeDriver):
        def unrescue(self, server_id):
            raise HypervisorUnreachable("gone")

    monkeypatch.setattr("compute.worker.actors._TRIES", 1)
    _host, conductor = world(Gone(tmp_path / "instances"))

    outcome = conductor.outcome(conductor.send(PowerOn(samples.SERVER_ID, "req-1")), seconds=20)

    assert outcome.fault == "The hypervisor of host host1 could not be reached."
    assert outcome.action == Action.START


def test_a_destroy_ends_a_build_that_is_under_way(world):
    host, conductor = world(pretence=Pretence(step_s=20))
    command = spawn()
    conductor.send(command)
    while not conductor.of(BuildPhase):
        time.sleep(0.01)
    started = time.monotonic()

    outcome = conductor.outcome(conductor.send(Destroy(command.server_id, "req-gone")))

    assert outcome.fault is None
    assert time.monotonic() - started < 2
    assert "cancelled" in conductor.outcome(command.request_id).fault
    assert host.driver.guests() == {}


def test_a_build_that_comes_after_its_destroy_builds_nothing(world):
    host, conductor = world()
    command = spawn()
    conductor.outcome(conductor.send(Destroy(command.server_id, "req-gone")))

    assert "cancelled" in conductor.outcome(conductor.send(command)).fault
    assert host.driver.guests() == {}


def test_urgent_commands_pass_a_crowd_of_builds(world):
    _host, conductor = world(pretence=Pretence(step_s=20))
    commands = [spawn(number) for number in range(1, 31)]
    for command in commands:
        conductor.send(command)
    while len(conductor.of(BuildPhase)) < 4:
        time.sleep(0.01)
    started = time.monotonic()
    last = commands[-1].server_id

    conductor.outcome(conductor.send(PowerOn("00000000-0000-4000-8000-00000000ffff", "req-on")))
    conductor.outcome(conductor.send(Destroy(last, "req-gone")))

    assert time.monotonic() - started < 2


def test_spawn_and_destroy_of_many_servers_leave_nothing(world):
    host, conductor = world(pretence=Pretence(step_s=0.02))
    commands = [spawn(number) for number in range(1, 41)]
    for command in commands:
        conductor.send(command)
        conductor.send(Destroy(command.server_id, f"req-gone-{command.server_id}"))

    for command in commands:
        assert conductor.outcome(f"req-gone-{command.server_id}").fault is None
        conductor.outcome(command.request_id)
    assert host.driver.guests() == {}


def test_the_host_reports_at_once_and_after_each_operation(world):
    _host, conductor = world()
    end = time.monotonic() + 5
    while not conductor.of(HostReport) and time.monotonic() < end:
        time.sleep(0.01)
    [first] = conductor.of(HostReport)
    assert first.guests == {}
    assert first.relay.startswith("unix:")
    assert first.facts.vcpus == 16
    command = spawn()

    conductor.outcome(conductor.send(command))

    end = time.monotonic() + 3
    while time.monotonic() < end and conductor.of(HostReport)[-1].guests != {command.server_id: PowerState.RUNNING}:
        time.sleep(0.01)
    assert conductor.of(HostReport)[-1].guests == {command.server_id: PowerState.RUNNING}


def test_a_guest_that_changes_by_itself_is_told(world):
    host, conductor = world()
    command = spawn()
    conductor.outcome(conductor.send(command))

    host.driver.happen(command.server_id, PowerState.CRASHED)

    end = time.monotonic() + 3
    while time.monotonic() < end and not any(r.power_state == PowerState.CRASHED for r in conductor.of(GuestChanged)):
        time.sleep(0.01)
    assert conductor.of(GuestChanged)[-1].power_state == PowerState.CRASHED


def test_guests_that_go_off_while_the_worker_ends_are_told_of_by_the_next_one(world):
    host, conductor = world()
    command = spawn()
    conductor.outcome(conductor.send(command))
    host.stop()
    changes, reports = len(conductor.of(GuestChanged)), len(conductor.of(HostReport))

    host.driver.happen(command.server_id, PowerState.SHUTDOWN)
    host._heartbeat.soon()
    time.sleep(1)  # longer than a report takes that is asked for at once
    assert len(conductor.of(GuestChanged)) == changes
    assert len(conductor.of(HostReport)) == reports

    _next, another = world(driver=host.driver)
    end = time.monotonic() + 10
    while not (told := [*conductor.of(HostReport)[reports:], *another.of(HostReport)]):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert told[0].guests == {command.server_id: PowerState.SHUTDOWN}
    assert uuid.UUID(told[0].boot_id)
    assert not told[0].resumes


def test_a_build_is_handed_back_when_the_process_ends(world, tmp_path):
    host, conductor = world(pretence=Pretence(step_s=30))
    command = spawn()
    conductor.send(command)
    while not conductor.of(BuildPhase):
        time.sleep(0.01)
    started = time.monotonic()

    host.stop()

    assert time.monotonic() - started < 8
    assert host.driver.guests() == {}
    assert conductor.of(OperationFinished) == []
    broker = host._reporter._broker
    waiting = broker.client.hlen(f"nebulet:{host_queue('host1')}.DQ.msgs") + broker.client.hlen(
        f"nebulet:{host_queue('host1')}.msgs"
    )
    assert waiting == 1
