"""A full disk under the state folder: the supervisor goes on, the queue says no and comes back by itself."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from deploy.launcher import control
from deploy.launcher.commands import status
from tests.deploy.test_supervisor import eventually, process, running, supervise  # noqa: F401
from tests.kit.waiting import wait_for

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a disk")


@pytest.fixture
def config(config, tmp_path):
    """An installation on a disk of one megabyte."""
    folder = tmp_path / "state"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)], check=True)
    yield replace(config, state_dir=folder)
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(config):
    """Leave not one byte."""
    with (config.state_dir / "ballast").open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return


def children(pid):
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def make_room(config):
    (config.state_dir / "ballast").unlink()


def test_a_supervisor_starts_what_ends_and_tells_of_it_when_there_is_room(config, supervise):  # noqa: F811
    supervisor = supervise(process("talks", "while sleep 0.01; do echo a line; done"), process("dies", "sleep 100"))
    before = {one.name: one.pid for one in eventually(lambda: running(config, 2)).processes}
    fill(config)

    (config.log_dir / "dies.log").unlink()
    os.kill(before["dies"], 9)
    wait_for("its successor", lambda: [pid for pid in children(supervisor.pid) if pid not in before.values()])
    assert control.read_status(config).processes[1].pid == before["dies"], "it cannot be told yet"
    make_room(config)

    after = eventually(lambda: (status := running(config, 2)) and status.processes[1].restarts and status)
    assert supervisor.poll() is None
    assert {one.name: one.restarts for one in after.processes} == {"talks": 0, "dies": 1}
    assert not [name for name in os.listdir(config.run_dir) if name.startswith("supervisor.json.")]


def test_status_names_the_disk(config, supervise, capsys):  # noqa: F811
    supervise(process("one", "sleep 100"))
    eventually(lambda: running(config, 1))
    fill(config)

    assert status.run(config, SimpleNamespace(json=False)) == 0
    assert f"Only 0 MiB are free in {config.state_dir}; Nebulet needs 1 GiB." in capsys.readouterr().out
