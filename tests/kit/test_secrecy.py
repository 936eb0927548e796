"""The search for secrets finds what it must: a search that finds nothing would pass every run."""

import logging
import subprocess
import sys

from tests.kit import secrecy

SECRET = "a secret for this test of the search"


def test_a_secret_in_a_line_is_found_and_not_shown():
    lines = ["accounts.x: nothing", f"accounts.x: Password {SECRET} was set, {SECRET}!", f"images.y: {SECRET[:-1]}"]

    assert list(secrecy.find(lines, [SECRET, "another one"])) == ["accounts.x: Password [SECRET] was set, [SECRET]!"]


def test_secrets_of_one_beginning_are_told_apart():
    assert list(secrecy.find(["x: gAAAAABone"], ["gAAAAABtwo", "gAAAAABone"])) == ["x: [SECRET]"]


def test_the_recorder_writes_down_debug_lines_and_traces():
    recorder = secrecy.Recorder()
    logger = logging.Logger("accounts.x", logging.DEBUG)
    logger.addHandler(recorder)
    logger.debug("Key %s", SECRET)
    try:
        raise ValueError(SECRET)
    except ValueError:
        logger.exception("It failed")

    found = list(secrecy.find(recorder.lines(), [SECRET]))
    assert found[0] == "accounts.x: Key [SECRET]"
    assert "ValueError: [SECRET]" in found[1]


def test_bodies_and_addresses_give_their_secrets_up(monkeypatch):
    monkeypatch.setattr(secrecy, "_secrets", set())
    secrecy.remember_in(
        {
            "server": {"adminPass": "0123456789", "user_data": "IyEvYmluL3NoIGhlbGxv", "name": "no secret at all"},
            "auth": {"token": {"id": "token-of-somebody"}, "list": [{"password": "pass-word-1"}]},
            "console": {"url": "http://x/?token=abcdefghij&path=1"},
        }
    )

    assert secrecy._secrets == {
        "0123456789",
        "IyEvYmluL3NoIGhlbGxv",
        "#!/bin/sh hello",
        "token-of-somebody",
        "pass-word-1",
        "abcdefghij",
    }


def test_logs_of_a_cloud_are_searched_with_all_that_was_put_aside(tmp_path, monkeypatch):
    monkeypatch.setattr(secrecy, "_leaks", found := [])
    monkeypatch.setattr(secrecy, "_secrets", {SECRET})
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "identity.log.2").write_text(f"one\n2026 INFO accounts.x {SECRET}\n")

    secrecy.search_folder(tmp_path)

    assert found == ["identity.log.2: 2026 INFO accounts.x [SECRET]"]


def test_a_run_with_a_secret_in_a_log_fails_and_names_the_line(tmp_path):
    (tmp_path / "conftest.py").write_text(
        "from tests.kit.secrecy import pytest_sessionfinish, pytest_sessionstart, pytest_terminal_summary\n"
    )
    (tmp_path / "test_it.py").write_text(
        "import logging\n"
        "from tests.kit.secrecy import remember\n"
        "def test_it():\n"
        f"    logging.getLogger('accounts.x').debug('Set %s', remember({SECRET!r}))\n"
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:django",
        f"--rootdir={tmp_path}",
        str(tmp_path),
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=False)

    assert run.returncode == 1, run.stdout + run.stderr
    assert "1 passed" in run.stdout
    assert "accounts.x: Set [SECRET]" in run.stdout
