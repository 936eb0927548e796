"""The page about interruptions says what the table says, and the table speaks of every point and action."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from compute.interruptions import ACTIONS, MEANINGS, WHEN, Outcome, outcome, page, points
from compute.states import SIGNALS, TRANSITIONS
from portal.core import faults
from portal.core.faults import Point, Process

PAGE = Path(__file__).parents[2] / "docs" / "developer" / "interruptions.md"
REACH = (
    "import sys; from pathlib import Path; from portal.core import faults; faults.listen({folder}, faults.Process.COMPUTE); "
)
REACH += "faults.reach(faults.Point.WORKED, 'server-1'); print('lives')"


def test_the_page_follows_from_the_table():
    assert page() in PAGE.read_text(), "run ./nebulet manage interruptions and put what it prints into the page"


def test_every_point_is_passed_by_an_action_and_explained():
    assert {point for action in ACTIONS for _process, point in points(action)} == set(Point) == set(WHEN)
    assert set(MEANINGS) == set(Outcome)
    assert set(ACTIONS) == {*TRANSITIONS, *SIGNALS}
    assert {outcome(action, *place) for action in ACTIONS for place in points(action)} == set(Outcome)


@pytest.mark.parametrize("subject", ["server-1", faults.ANY])
def test_an_armed_point_kills_once(tmp_path, subject):
    faults.arm(tmp_path, Process.COMPUTE, Point.WORKED, subject)
    assert run(f"Path({str(tmp_path)!r})").returncode == -signal.SIGKILL
    assert run(f"Path({str(tmp_path)!r})").stdout == "lives\n"


def test_nothing_is_armed_without_a_folder_nor_for_another_point_process_or_server(tmp_path):
    faults.arm(tmp_path, Process.WEB, Point.WORKED)
    faults.arm(tmp_path, Process.COMPUTE, Point.NOTED)
    faults.arm(tmp_path, Process.COMPUTE, Point.WORKED, "server-2")
    assert run("None").stdout == run(f"Path({str(tmp_path)!r})").stdout == "lives\n"


def test_a_process_dies_of_all_its_armed_points_at_once(tmp_path):
    faults.arm(tmp_path, Process.COMPUTE, Point.WORKED, "server-1")
    other = faults.arm(tmp_path, Process.COMPUTE, Point.NOTED, "server-2")
    process = subprocess.Popen([sys.executable, "-c", REACH.format(folder=f"Path({str(tmp_path)!r})")], cwd=os.getcwd())
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(2)
    assert list(tmp_path.iterdir()) == [other], "it has come to its own point, and waits there"
    other.unlink()
    assert process.wait(10) == -signal.SIGKILL


def run(folder: str) -> subprocess.CompletedProcess[str]:
    code = REACH.format(folder=folder)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=os.getcwd(), check=False)
