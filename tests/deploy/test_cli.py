"""The command line."""

import os

import pytest

from deploy.launcher import cli
from deploy.launcher.commands import tests
from deploy.launcher.errors import LauncherError
from deploy.launcher.terminal import Terminal


def test_what_test_does_not_know_goes_to_pytest():
    options = cli.parse(["test", "--fast", "-k", "power", "tests/compute", "-x"])

    assert options.fast
    assert options.pytest == ["-k", "power", "tests/compute", "-x"]


def test_manage_hands_everything_on():
    assert cli.parse(["manage", "migrate", "--plan"]).manage == ["migrate", "--plan"]


@pytest.mark.parametrize("arguments", [[], ["fly"], ["up", "--sideways"], ["status", "more"]])
def test_what_is_not_known_is_refused(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.parse(arguments)

    assert caught.value.code == 2


def test_a_failure_is_a_sentence_and_a_command_and_no_traceback(monkeypatch, capsys):
    monkeypatch.setenv("NEBULET_PORT", "none")

    assert cli.main(["status"]) == 1

    said = capsys.readouterr().out
    assert "NEBULET_PORT is 'none', which is no port." in said
    assert "Run: NEBULET_PORT=8000 ./nebulet up" in said
    assert "Traceback" not in said


def test_a_step_says_how_long_it_took_and_what_it_did(capsys):
    terminal = Terminal()

    with terminal.step("packages") as step:
        step.note = "installed two"

    assert capsys.readouterr().out.split(maxsplit=4)[1:] == ["packages", "0.0", "s", "installed two\n"]


def test_a_step_that_fails_is_marked(capsys):
    terminal = Terminal()

    with pytest.raises(LauncherError), terminal.step("packages"):
        raise LauncherError("No.")

    assert capsys.readouterr().out.startswith("✗ packages")


THREE_FOR_TWO = str(max(1, (os.cpu_count() or 1) * 3 // 2))
FAST = ["-m", "not real", "-n", THREE_FOR_TWO, "--dist", "loadfile"]
REAL = ["-m", "real or hypervisor", "-n", THREE_FOR_TWO, "--dist", "loadfile", "--no-loadscope-reorder"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], [FAST, REAL]),
        (["--fast"], [FAST]),
        (["-k", "power"], [[]]),
        (["--fast", "tests/core"], [["-m", "not real"]]),
    ],
)
def test_fast_tests_come_first_and_what_is_named_runs_in_one_process(words, told):
    assert tests._rounds(cli.parse(["test", *words])) == told
