"""The log: which file a line goes to, its two forms, what never stands in it, and how files are turned over."""

import json
import logging
import multiprocessing
import os
import re
import time

import dramatiq
import pytest

from portal.core import log
from portal.core.broker import make_broker
from portal.core.log import levels
from portal.core.log.files import KEPT, TurnedFile
from portal.core.log.redaction import redact

TOKEN = "gAAAAABmUnitTestOnly_0123456789-abcdefghijklmnopqrstuvwxyz=="


@pytest.fixture
def files(tmp_path):
    """A folder of log files that this process writes to."""
    folder = tmp_path / "services"
    folder.mkdir()
    before = logging.getLogger().handlers[:]
    yield folder
    logging.getLogger().handlers[:] = before
    levels.start(debug=True, switch=None)


def said(folder, name):
    path = folder / f"{name}.log"
    return path.read_text() if path.exists() else ""


def lines(folder, name):
    return [json.loads(line) for line in said(folder, name).splitlines()]


@pytest.mark.parametrize(
    ("logger", "name"),
    [
        ("accounts.services.tokens", "identity"),
        ("images.services.registry", "image"),
        ("compute.services.claims", "compute"),
        ("compute.network.services.ports", "network"),
        ("portal.dashboard.instances", "portal"),
    ],
)
def test_a_service_has_a_file_of_its_own(files, logger, name):
    log.configure(files=files)

    with log.bound(service="identity"):
        logging.getLogger(logger).info("something was done")

    assert [path.name for path in files.iterdir() if "something was done" in path.read_text()] == [f"{name}.log"]


def test_a_line_of_the_kernel_goes_to_the_service_at_work(files):
    log.configure(files=files, service="compute")
    kernel = logging.getLogger("portal.core.bus")

    with log.bound(request_id="req-1", service="image"):
        kernel.warning("in a request")
    kernel.warning("by itself")

    assert "[req-1] in a request" in said(files, "image")
    assert "[-] by itself" in said(files, "compute")


def test_an_answer_is_one_line_of_the_access_log(files):
    log.configure(files=files, form="json")
    with log.bound(request_id="req-2"):
        log.answered(log.Call("GET", "/network/v2.0/ports", "192.0.2.7"), 200)

    (line,) = lines(files, "network_access")
    assert {name: line[name] for name in ("request_id", "address", "user", "project", "method", "path", "status")} == {
        "request_id": "req-2",
        "address": "192.0.2.7",
        "user": None,
        "project": None,
        "method": "GET",
        "path": "/network/v2.0/ports",
        "status": 200,
    }
    assert line["ms"] >= 0
    assert [path.name for path in files.iterdir()] == ["network_access.log"]


def test_standard_error_has_the_story_without_debug_and_access_lines(files, capsys):
    log.configure(files=files, debug=True)
    logging.getLogger("accounts.x").debug("a detail")
    logging.getLogger("accounts.x").info("an event")
    log.answered(log.Call("GET", "/", "-"), 200)

    assert re.fullmatch(r"[\d-]{10} [\d:]{8}\.\d{3} \d+ INFO accounts\.x \[-\] an event\n", capsys.readouterr().err)
    assert "a detail" in said(files, "identity")


def test_without_a_folder_standard_error_has_everything(files, capsys):
    log.configure(files=files / "none", debug=True)
    logging.getLogger("compute.worker.x").debug("a detail")
    log.answered(log.Call("GET", "/", "-"), 200)

    told = capsys.readouterr().err
    assert "a detail" in told
    assert "GET / 200" in told


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_name_begins_a_line_of_its_own_or_speaks_to_a_terminal(files, form):
    log.configure(files=files, form=form)

    logging.getLogger("images.x").info("Image %s is registered", "a\n2026-01-31 forged\r\x1b[2J\u2028end\x9b")

    told = said(files, "image")
    assert not any(line.startswith("2026-01-31 forged") for line in told.splitlines())
    assert not set(told) & set("\r\x1b\u2028\x9b")


def test_a_trace_is_in_both_forms(files):
    for form in ("text", "json"):
        log.configure(files=files, form=form)
        try:
            raise ValueError(f"bad X-Auth-Token: {TOKEN}")
        except ValueError:
            logging.getLogger("accounts.x").exception("It failed")

    told = said(files, "identity")
    assert told.count("Traceback") == 2
    assert TOKEN not in told


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"token {TOKEN} came", "token *** came"),
        ("X-Auth-Token: abcdef", "X-Auth-Token: ***"),
        ("{'X-Subject-Token': 'abcdef', 'a': 1}", "{'X-Subject-Token': ***, 'a': 1}"),
        ('{"password": "it\'s \\"mine\\"", "name": "x"}', '{"password": ***, "name": "x"}'),
        ("original_password=old&password=new", "original_password=***&password=***"),
        ('"adminPass": "abc"', '"adminPass": ***'),
        ("GET /ws/vnc/?token=abc-def HTTP", "GET /ws/vnc/?token=*** HTTP"),
        ("/file?ticket=a.b.c&x=1", "/file?ticket=***&x=1"),
        ("Authorization: Bearer abc", "Authorization: ***"),
        ("postgres://nebulet:pass@db/x", "postgres://nebulet:***@db/x"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----", "***"),
        ("Failing row\nDETAIL:  Failing row contains (1, argon2$x).\nnext", "Failing row\nDETAIL:***\nnext"),
        ("user_data='IyEvYmlu'", "user_data=***"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text, left):
    assert redact(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "Issued token x4Qd to user 5f, scope project 6a",
        "Rule identity:list_users for user 1 in project 2: allowed",
        "password_expires_at: 2027-01-01",
        "at http://[::1]:8000/identity",
    ],
)
def test_what_is_no_secret_stays(text):
    assert redact(text) == text


def test_long_lines_are_looked_through_in_no_time():
    started = time.perf_counter()
    redact("a=" + "a-" * 50_000 + "passwor" * 10_000)
    assert time.perf_counter() - started < 1


def test_a_message_of_the_queue_is_logged_by_name_and_id(files):
    class Message:
        actor_name, message_id = "compute.spawn", "m-1"

        def __str__(self):
            return "compute.spawn(user_data=plain words)"

    log.configure(files=files, service="compute")
    logging.getLogger("dramatiq.worker.WorkerThread").error("Failed to process message %s", Message())

    assert "Failed to process message compute.spawn m-1" in said(files, "compute")
    assert "plain words" not in said(files, "compute")


def test_an_actor_does_not_show_what_a_message_brings(files):
    def work(**payload):
        logging.getLogger("compute.worker.actors").debug("It works")

    work.__module__ = "compute.worker.actors"
    broker = make_broker("redis://nowhere.invalid", b"k" * 32)
    actor = dramatiq.actor(work, actor_name="compute.test", broker=broker)

    log.configure(files=files, debug=True)
    actor(user_data="plain words")

    assert "It works" in said(files, "compute")
    assert "plain words" not in said(files, "compute")
    broker.close()


def test_what_cannot_be_written_is_not_shown_elsewhere(files, capfd):
    log.configure(files=files, debug=True)
    files.rmdir()
    logging.getLogger("accounts.x").debug("Words %s", "of a line")

    assert capfd.readouterr().err == "A line of accounts.x was not written: FileNotFoundError\n"
    files.mkdir()


def test_the_switch_turns_debug_on_and_off_in_a_running_process(files, tmp_path, monkeypatch):
    monkeypatch.setattr(levels, "LOOK_EVERY_S", 0.0)
    switch = tmp_path / "debug"
    log.configure(files=files, switch=switch)
    code = logging.getLogger("compute.x")

    for turn in (switch.touch, switch.unlink):
        with log.bound():
            code.debug("before it was turned")
        turn()
        with log.bound():
            code.debug("after it was turned")

    assert [line.rpartition("] ")[2] for line in said(files, "compute").splitlines()] == [
        "after it was turned",
        "before it was turned",
    ]


def test_debug_is_for_our_own_loggers(files):
    log.configure(files=files, debug=True)
    logging.getLogger("httpx").info("HTTP Request: GET http://x/?ticket=1")
    logging.getLogger("somebody.else").debug("whatever")

    assert list(files.iterdir()) == []


def test_a_large_file_is_put_aside_and_few_are_kept(tmp_path):
    file = TurnedFile(tmp_path / "x.log", most_bytes=100)
    for number in range(200):
        file.write(f"line {number:03d}")

    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["x.log", *(f"x.log.{number}" for number in range(1, KEPT + 1))]
    assert "line 199" in (tmp_path / "x.log").read_text() + (tmp_path / "x.log.1").read_text()


def test_a_file_that_somebody_moved_is_made_anew(tmp_path):
    path = tmp_path / "x.log"
    file = TurnedFile(path, most_bytes=1000)
    file.write("one")
    os.replace(path, tmp_path / "moved")
    file.write("two")

    assert path.read_text() == "two\n"


def _write(path, name, count):
    file = TurnedFile(path, most_bytes=20_000)
    for number in range(count):
        file.write(f"{name} {number} " + "x" * 60)


def test_processes_that_turn_one_file_over_lose_no_line(tmp_path):
    path, each = tmp_path / "x.log", 300  # four times 300 lines of 75 bytes fill four files and are all kept
    writers = [multiprocessing.get_context("spawn").Process(target=_write, args=(path, name, each)) for name in "abcd"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    found = [line.rsplit(" ", 1)[0] for part in tmp_path.iterdir() for line in part.read_text().splitlines()]
    assert sorted(found) == sorted(f"{name} {number}" for name in "abcd" for number in range(each))
    assert len(list(tmp_path.iterdir())) > 2


@pytest.mark.django_db
def test_an_answer_of_503_has_its_access_line_alone_and_a_fault_its_traceback(files, client):
    log.configure(files=files)
    assert client.get("/healthz").status_code == 503
    assert "503" in said(files, "portal_access")
    assert "healthz" not in said(files, "portal")

    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        logging.getLogger("django.request").exception("Internal Server Error: /x")
    assert "ZeroDivisionError" in said(files, "portal")
