"""What was asked of a server later goes before what was asked earlier, whichever of the two is under way or comes late."""

import time
from dataclasses import replace

import pytest

from compute.messages import (
    Change,
    Destroy,
    OperationFinished,
    PowerOff,
    PowerOn,
    Reboot,
)
from compute.states import Action, PowerState
from compute.virt.fake import Pretence
from tests.compute.worker.world import spawn


def waiting(conductor, host, number=1):
    """Return a server whose guest is asked to shut down and does not."""
    command = spawn(number)
    conductor.outcome(conductor.send(command))
    conductor.send(Reboot(command.server_id, f"req-soft-{number}", hard=False, order=2))
    end = time.monotonic() + 5
    while command.server_id not in host.operations._held:
        assert time.monotonic() < end
        time.sleep(0.01)
    return command.server_id


@pytest.mark.parametrize(
    ("later", "state"),
    [
        (lambda server_id: Reboot(server_id, "req-later", hard=True, order=3), PowerState.RUNNING),
        (lambda server_id: Change(server_id, "req-later", Action.SOFT_DELETE, order=3), PowerState.SHUTDOWN),
    ],
)
def test_a_guest_that_does_not_shut_down_is_not_waited_for(world, later, state):
    host, conductor = world(pretence=Pretence(shutdown_s=60))
    server_id = waiting(conductor, host)
    started = time.monotonic()

    outcome = conductor.outcome(conductor.send(later(server_id)))

    assert (outcome.fault, outcome.power_state) == (None, state)
    assert time.monotonic() - started < 2
    assert conductor.outcome("req-soft-1").fault == f"Something else was asked of instance {server_id}: this was given up."


def test_a_hard_reboot_does_not_wait_behind_patient_ones(world):
    host, conductor = world(pretence=Pretence(shutdown_s=60))
    servers = [waiting(conductor, host, number) for number in range(1, 9)]
    started = time.monotonic()

    conductor.outcome(conductor.send(Reboot(servers[-1], "req-hard", hard=True, order=3)))

    assert time.monotonic() - started < 2
    for server_id in servers:
        conductor.send(Destroy(server_id, f"req-gone-{server_id}"))


def test_a_build_that_comes_after_its_deletion_builds_nothing_in_a_new_process_either(world):
    host, conductor = world()
    command = replace(spawn(), order=1)
    conductor.outcome(conductor.send(Destroy(command.server_id, "req-gone", order=2)))
    host.stop()

    host, another = world()
    another.send(command)
    end = time.monotonic() + 10
    while not (told := [one for one in (*conductor.of(OperationFinished), *another.of(OperationFinished)) if one.fault]):
        assert time.monotonic() < end
        time.sleep(0.05)

    assert "Something else was asked" in told[0].fault
    assert host.driver.guests() == {}


def test_what_was_asked_for_earlier_and_comes_later_does_nothing(world):
    host, conductor = world()
    command = spawn()
    conductor.outcome(conductor.send(command))
    conductor.outcome(conductor.send(PowerOn(command.server_id, "req-on", order=5)))

    late = conductor.outcome(conductor.send(PowerOff(command.server_id, "req-off", 5, order=4)))
    gone = conductor.outcome(conductor.send(Destroy(command.server_id, "req-gone", order=3)))

    assert "Something else was asked" in late.fault
    assert "Something else was asked" in gone.fault
    assert host.driver.guests() == {command.server_id: PowerState.RUNNING}
    assert conductor.outcome(conductor.send(PowerOff(command.server_id, "req-new", 5, order=6))).fault is None
