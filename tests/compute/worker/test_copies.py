"""Copies of disks on their way to an image service that stumbles, and commands that come again: a whole worker with the fake driver."""

import http.server
import re
import threading
import time
from dataclasses import replace

import pytest

from compute.copy_messages import CopyDisk, Offload, Rebuild, Rescue, Unrescue, Unshelve
from compute.messages import UNTOUCHED, BuildPhase, Change, OperationFinished, PowerOff, PowerOn
from compute.states import Action, PowerState, TaskState
from compute.virt.driver import RescueSpec
from compute.virt.errors import HypervisorUnreachable
from compute.worker import upload
from tests.compute.virt import samples
from tests.compute.worker.world import spawn
from tests.kit.waiting import wait_for


class ImageService:
    """Takes bytes in pieces or whole. It answers the first ``failures`` pieces with 503, and keeps of one piece ``torn`` bytes only."""

    def __init__(self):
        self.content, self.total, self.requests, self.failures, self.torn, self.status = b"", None, [], 0, None, None
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_PUT(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                wanted = self.headers.get("Content-Range")
                outer.requests.append(wanted)
                code, headers = outer.take(wanted, body)
                self.send_response(code)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *words):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.http.server_port}/image?ticket=x"

    def take(self, wanted, body):
        if self.status is not None:
            return self.status, {}
        if body and self.failures > 0:
            self.failures -= 1
            return 503, {}
        if wanted is None:
            self.content, self.total = body, len(body)
            return 204, {}
        first, _last, total = re.fullmatch(r"bytes (?:(\d+)-(\d+)|\*)/(\d+)", wanted).groups()
        if first is not None and int(first) != len(self.content):
            return 416, self.safe()
        kept = len(body) if self.torn is None or not body else self.torn
        self.torn = self.torn if not body else None
        self.content += body[:kept]
        self.total = int(total)
        return (204, {}) if len(self.content) == self.total else (308, self.safe())

    def safe(self):
        return {"Range": f"bytes=0-{len(self.content) - 1}"} if self.content else {}


@pytest.fixture
def service(monkeypatch):
    monkeypatch.setattr(upload, "_LONGEST_WAIT_S", 0.1)
    made = ImageService()
    yield made
    made.http.shutdown()


@pytest.fixture
def guest(world):
    host, conductor = world()
    command = spawn()
    conductor.send(command)
    assert conductor.outcome(command.request_id).fault is None
    return host, conductor, command.server_id


def copy(server_id, service, request_id="req-copy", **fields):
    known = CopyDisk(Action.CREATE_IMAGE, server_id, request_id, "image-1", service.address, in_pieces=True)
    return replace(known, **fields)


def told_again(host, before, world, command):
    """Return what another worker on the same host, which knows only what lies on its disk, says to a command that comes again."""
    host.stop()
    _host, after = world(driver=host.driver)
    after.send(command)
    end = time.monotonic() + 10
    while time.monotonic() < end:  # both conductors listen
        told = [one for who in (before, after) for one in who.of(OperationFinished) if one.request_id == command.request_id]
        if len(told) > 1:
            return told[-1]
        time.sleep(0.01)
    raise AssertionError("nothing was told")


def gone(folder, within_s=5.0):
    """Whether a folder goes away; that is done after the report."""
    end = time.monotonic() + within_s
    while folder.exists() and time.monotonic() < end:
        time.sleep(0.01)
    return not folder.exists()


class TestCopies:
    @pytest.mark.parametrize("in_pieces", [True, False])
    def test_the_image_arrives_whole_and_nothing_is_left(self, guest, service, in_pieces):
        host, conductor, server_id = guest

        report = conductor.outcome(conductor.send(copy(server_id, service, in_pieces=in_pieces)))

        assert (report.fault, report.action, report.power_state) == (None, Action.CREATE_IMAGE, PowerState.RUNNING)
        assert service.content.startswith(b"QFI\xfb")
        assert len(service.content) == service.total
        assert gone(host.config.instances / server_id / "copies")
        told = [phase for phase in conductor.of(BuildPhase) if phase.request_id == "req-copy"]
        assert [phase.stage for phase in told][-1] == TaskState.IMAGE_UPLOADING
        assert told[-1].bytes_done == told[-1].bytes_total == service.total

    def test_it_goes_on_after_interruptions_from_what_is_safe(self, guest, service, monkeypatch):
        monkeypatch.setattr(upload, "PIECE_BYTES", 100_000)
        service.failures, service.torn = 2, 40_000
        _host, conductor, server_id = guest

        report = conductor.outcome(conductor.send(copy(server_id, service)))

        assert report.fault is None
        assert len(service.content) == service.total
        assert service.requests[0] == f"bytes */{service.total}"
        assert f"bytes 40000-139999/{service.total}" in service.requests

    @pytest.mark.parametrize(("status", "says"), [(410, "deleted before it was whole"), (413, "answered 413"), (503, "503")])
    def test_one_that_is_refused_ends_with_a_sentence_and_leaves_nothing(self, guest, service, status, says):
        host, conductor, server_id = guest
        service.status = status

        report = conductor.outcome(conductor.send(copy(server_id, service)), 20)

        assert says in report.fault or "does not answer" in report.fault
        assert report.power_state == PowerState.RUNNING
        assert not (host.config.instances / server_id / "copies").exists()

    def test_a_whole_copy_that_a_crash_left_is_only_sent(self, guest, service):
        host, conductor, server_id = guest
        folder = host.config.instances / server_id / "copies"
        folder.mkdir()
        (folder / "image-1").write_bytes(b"whole")
        (folder / "image-0").write_bytes(b"of another time")

        assert conductor.outcome(conductor.send(copy(server_id, service))).fault is None

        assert service.content == b"whole"
        wait_for("the copies to be cleared away", lambda: not folder.exists(), 5)

    @pytest.mark.parametrize(("arrived", "sent"), [(b"whole", None), (b"who", b"whole"), (b"", b"whole")])
    def test_what_is_not_sent_in_pieces_is_sent_anew_unless_it_is_there(self, guest, service, arrived, sent):
        host, conductor, server_id = guest
        folder = host.config.instances / server_id / "copies"
        folder.mkdir()
        (folder / "image-1").write_bytes(b"whole")
        service.content = arrived

        assert conductor.outcome(conductor.send(copy(server_id, service, in_pieces=False))).fault is None

        assert service.requests == ["bytes */5"] + ([] if sent is None else [None])
        assert service.content == b"whole"

    def test_a_command_that_comes_after_a_restart_sends_nothing_again(self, guest, service, world):
        host, conductor, server_id = guest
        command = copy(server_id, service)
        conductor.outcome(conductor.send(command))
        sent = len(service.requests)

        report = told_again(host, conductor, world, command)

        assert (report.fault, len(service.requests)) == (None, sent)

    def test_shelving_stops_the_guest_and_starts_it_again_when_it_fails(self, guest, service):
        _host, conductor, server_id = guest
        wish = {"action": Action.SHELVE, "stop_s": 0}

        service.status = 413
        failed = conductor.outcome(conductor.send(copy(server_id, service, "req-1", **wish)))
        service.status = None
        done = conductor.outcome(conductor.send(copy(server_id, service, "req-2", **wish)))

        assert (failed.power_state, failed.action) == (PowerState.RUNNING, Action.SHELVE)
        assert (done.fault, done.power_state) == (None, PowerState.SHUTDOWN)

    def test_a_guest_that_was_stopped_for_a_copy_that_cannot_be_written_runs_again(self, guest, service):
        host, conductor, server_id = guest
        (host.config.instances / server_id / "copies").write_text("in the way")

        failed = conductor.outcome(conductor.send(copy(server_id, service, "req-1", action=Action.SHELVE, stop_s=0)))

        assert (failed.fault, failed.power_state) == ("Host host1: File exists.", PowerState.RUNNING)


class TestExchanges:
    def test_a_late_rebuild_does_not_cost_what_was_written_since(self, guest, world):
        host, conductor, server_id = guest
        disk = host.config.instances / server_id / "disk"
        command = Rebuild(server_id, "req-rebuild", replace(samples.guest(), server_id=server_id))
        report = conductor.outcome(conductor.send(command))
        assert (report.fault, report.power_state) == (None, PowerState.RUNNING)
        assert report.definition
        disk.write_text("precious")

        assert told_again(host, conductor, world, command).fault is None

        assert disk.read_text() == "precious"

    def test_one_that_was_overtaken_says_whether_it_had_begun(self, guest, monkeypatch):
        host, conductor, server_id = guest
        replaced, go_on = threading.Event(), threading.Event()

        def dies(*_given, **_more):
            replaced.set()
            go_on.wait(10)
            raise HypervisorUnreachable("gone")

        monkeypatch.setattr(host.driver, "rebuild", dies)
        command = Rebuild(server_id, "req-begun", replace(samples.guest(), server_id=server_id), order=1)
        conductor.send(command)
        assert replaced.wait(10)
        off = conductor.send(Change(server_id, "req-rest", Action.SOFT_DELETE, order=2))
        wait_for("the rest to come", lambda: host.operations._held[server_id][1] > 1, 10)
        go_on.set()

        assert conductor.outcome(off).fault is None
        dropped = conductor.outcome(conductor.send(replace(command, request_id="req-dropped")))
        assert (dropped.fault is None, dropped.facts) == (False, {UNTOUCHED: True})
        begun = conductor.outcome(command.request_id)
        assert (begun.fault is None, begun.facts) == (False, {UNTOUCHED: False})

    def test_a_late_stop_does_not_stop_a_guest_that_was_started_since(self, guest, world):
        host, conductor, server_id = guest
        stop = PowerOff(server_id, "req-off", 0)
        assert conductor.outcome(conductor.send(stop)).power_state == PowerState.SHUTDOWN
        assert conductor.outcome(conductor.send(PowerOn(server_id, "req-on"))).power_state == PowerState.RUNNING

        report = told_again(host, conductor, world, stop)

        assert (report.fault, report.power_state) == (None, PowerState.RUNNING)

    def test_a_late_offload_does_not_remove_what_came_back(self, guest, world):
        host, conductor, server_id = guest
        offload = Offload(server_id, "req-offload")
        assert conductor.outcome(conductor.send(offload)).fault is None
        assert server_id not in host.driver.guests()
        back = Unshelve(server_id, "req-back", replace(samples.guest(), server_id=server_id))
        assert conductor.outcome(conductor.send(back)).power_state == PowerState.RUNNING

        report = told_again(host, conductor, world, offload)

        assert (report.fault, report.power_state) == (None, PowerState.RUNNING)

    def test_a_guest_that_was_shelved_here_is_started_where_it_lies(self, guest):
        host, conductor, server_id = guest
        host.driver.power_off(server_id, 0)

        report = conductor.outcome(conductor.send(Unshelve(server_id, "req-back")))

        assert (report.fault, report.power_state) == (None, PowerState.RUNNING)

    def test_a_rescue_there_and_back(self, guest):
        host, conductor, server_id = guest
        own = host.driver.definition(server_id)

        there = conductor.outcome(conductor.send(Rescue(server_id, "req-1", RescueSpec(samples.image("rescue")))))
        back = conductor.outcome(conductor.send(Unrescue(server_id, "req-2")))

        assert "disk.rescue" in there.definition
        assert (back.fault, back.definition) == (None, own)

    @pytest.mark.parametrize("as_it_is", [True, False])
    def test_a_guest_that_went_off_in_its_rescue_is_started_as_it_is_or_as_itself(self, guest, as_it_is):
        host, conductor, server_id = guest
        own = host.driver.definition(server_id)
        conductor.outcome(conductor.send(Rescue(server_id, "req-1", RescueSpec(samples.image("rescue")), order=2)))
        host.driver.happen(server_id, PowerState.SHUTDOWN)

        back = conductor.outcome(conductor.send(PowerOn(server_id, "req-2", as_it_is=as_it_is, order=2)))

        assert (back.fault, back.power_state) == (None, PowerState.RUNNING)
        assert (host.driver.definition(server_id) == own) is not as_it_is

    def test_a_server_whose_rescue_was_cut_off_comes_back_from_its_own_disk(self, guest):
        host, conductor, server_id = guest
        own = host.driver.definition(server_id)
        conductor.outcome(conductor.send(Rescue(server_id, "req-1", RescueSpec(samples.image("rescue")), order=2)))
        off = conductor.outcome(conductor.send(Change(server_id, "req-2", Action.SOFT_DELETE, order=3)))
        back = conductor.outcome(conductor.send(Change(server_id, "req-3", Action.RESTORE, order=4)))

        assert off.power_state == PowerState.SHUTDOWN
        assert (back.fault, back.power_state, back.definition) == (None, PowerState.RUNNING, own)
