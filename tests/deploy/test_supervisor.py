"""The supervisor, with shell commands for processes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.launcher import control
from deploy.launcher.backoff import Backoff
from deploy.launcher.child import open_log, shorten

NEBULET = Path(__file__).resolve().parents[2] / "nebulet"


def process(name, script, *, stage=1, socket=None):
    environment = {"PATH": os.environ["PATH"]}
    return {"name": name, "argv": ["sh", "-c", script], "env": environment, "cwd": "/", "stage": stage, "socket": socket}


@pytest.fixture
def supervise(config):
    """Start a supervisor for some processes; all are gone after the test."""
    config.run_dir.mkdir(parents=True)
    config.log_dir.mkdir()
    started = []

    def start(*processes):
        plan = {"run_dir": str(config.run_dir), "log_dir": str(config.log_dir), "address": "here", "processes": processes}
        descriptor = os.memfd_create("plan", 0)
        os.write(descriptor, json.dumps(plan).encode())
        os.lseek(descriptor, 0, os.SEEK_SET)
        command = [sys.executable, "-I", "-S", str(NEBULET), "supervise", str(descriptor), "0"]
        started.append(subprocess.Popen(command, pass_fds=[descriptor], stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
        os.close(descriptor)
        return started[-1]

    yield start
    for supervisor in started:
        supervisor.terminate()
        supervisor.communicate()


def eventually(question, timeout_s=5):
    end = time.monotonic() + timeout_s
    while not (answer := question()):
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)
    return answer


def gone(pid):
    """Whether the process ended; its entry may wait for whoever inherited it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def running(config, count):
    status = control.read_status(config)
    return status if status and len([one for one in status.processes if one.pid]) == count else None


def test_pauses_double_to_a_limit_and_start_anew_after_health():
    backoff = Backoff()

    assert [round(backoff.after(1), 1) for _ in range(8)] == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]
    assert backoff.after(31) == 0.2
    assert backoff.after(1) == 0.4


def test_a_process_that_dies_is_started_again(config, supervise):
    supervise(process("steady", "sleep 100"), process("weak", "sleep 100"))
    before = {one.name: one.pid for one in eventually(lambda: running(config, 2)).processes}

    os.kill(before["weak"], signal.SIGKILL)

    after = eventually(lambda: (status := running(config, 2)) and status.processes[1].restarts == 1 and status)
    assert after.processes[0].pid == before["steady"]
    assert after.processes[1].pid != before["weak"]
    assert after.processes[1].last_exit == "signal 9"


def test_ending_the_supervisor_ends_its_processes_and_what_they_started(config, supervise):
    supervisor = supervise(process("parent", "sleep 1234 & echo $! >&2; wait"))
    log = config.log_dir / "parent.log"
    eventually(lambda: running(config, 1) and log.read_text().endswith("\n"))

    supervisor.terminate()

    assert supervisor.wait(5) == 0
    eventually(lambda: gone(log.read_text().strip()))
    assert control.read_status(config) is None


def test_stages_end_in_the_opposite_order(config, supervise, tmp_path):
    ends = tmp_path / "ends"
    script = "trap 'echo {0} >> {1}; exit' TERM; echo up; while :; do sleep 0.05; done"
    supervisor = supervise(
        process("queue", script.format("queue", ends), stage=0), process("web", script.format("web", ends), stage=1)
    )
    eventually(lambda: running(config, 2) and (config.log_dir / "web.log").read_text())

    supervisor.terminate()
    supervisor.wait(5)

    assert ends.read_text().split() == ["web", "queue"]


def test_one_state_folder_takes_one_supervisor(config, supervise):
    first = supervise(process("one", "sleep 100"))
    eventually(lambda: running(config, 1))

    second = supervise(process("one", "sleep 100"))

    assert second.wait(5) == 1
    assert control.supervisor_pid(config) == first.pid


def test_a_supervisor_that_was_killed_counts_as_not_running(config, supervise):
    supervisor = supervise(process("one", "sleep 1"))
    eventually(lambda: running(config, 1))

    supervisor.kill()
    supervisor.wait(5)

    eventually(lambda: control.supervisor_pid(config) is None)  # a child shares the lock until it becomes its program


def test_what_a_killed_supervisor_left_is_ended_by_the_next(config, supervise):
    first = supervise(process("one", "trap '' TERM; sleep 2"))
    left = eventually(lambda: running(config, 1)).processes[0].pid
    first.kill()
    first.wait(5)

    supervise(process("one", "sleep 100"))

    eventually(lambda: (found := running(config, 1)) and found.processes[0].pid != left)
    eventually(lambda: gone(left))


def test_a_program_that_does_not_exist_is_told_in_its_log(config, supervise):
    supervise({**process("none", ""), "argv": ["/no/such/program"]})

    eventually(
        lambda: (config.log_dir / "none.log").exists() and "does not start" in (config.log_dir / "none.log").read_text()
    )


def test_a_large_log_is_put_aside(tmp_path):
    log = tmp_path / "web.log"
    with log.open("wb") as file:
        file.truncate(21 * 1024 * 1024)

    os.close(open_log(str(log)))

    assert log.stat().st_size == 0
    assert (tmp_path / "web.log.1").exists()


def test_a_large_log_of_a_running_process_is_shortened_and_goes_on(tmp_path):
    log = tmp_path / "compute.log"
    descriptor = open_log(str(log))
    os.write(descriptor, b"a line\n" * 3_100_000)

    shorten(str(log))
    os.write(descriptor, b"next\n")
    shorten(str(log))
    os.close(descriptor)

    assert log.read_bytes() == b"next\n"
    assert (tmp_path / "compute.log.1").stat().st_size == 7 * 3_100_000


def test_down_ends_what_runs_and_is_harmless_otherwise(config, supervise):
    supervisor = supervise(process("one", "sleep 100"))
    eventually(lambda: running(config, 1))

    assert control.end_supervisor(config)
    assert supervisor.wait(5) == 0
    assert not control.end_supervisor(config)
