"""The console relay over real sockets."""

import asyncio
import os
import socket
import stat
import threading
import time

import pytest
from cryptography.fernet import Fernet

from compute.virt.driver import Display, never
from compute.virt.fake import FakeDriver
from compute.worker import relay as relays
from compute.worker.relay import Relay
from portal.core import signing
from portal.core.connections import connected
from tests.compute.virt import samples
from tests.kit.waiting import wait_for

KEY = b"k" * 40


class Driver(FakeDriver):
    """A fake whose display is an echo on a socket."""

    def __init__(self, folder):
        super().__init__(folder)
        self.path = folder / "echo.sock"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            peer, _ = self.listener.accept()
            threading.Thread(target=self._echo, args=(peer,), daemon=True).start()

    def _echo(self, peer):
        with peer:
            while data := peer.recv(65536):
                peer.sendall(data)

    def display(self, server_id, kind):
        super().display(server_id, kind)
        return Display("vnc", socket=str(self.path))


@pytest.fixture
def folder(tmp_path_factory):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory(prefix="nebulet-relay-") as path:
        yield Path(path)


@pytest.fixture
def relay(folder):
    driver = Driver(folder)
    driver.spawn(samples.guest(), None, samples.ignore, never)
    path = folder / "relay.sock"
    Relay(driver, KEY, f"unix:{path}").start()
    yield path
    driver.destroy(samples.SERVER_ID)


def ticket(purpose="relay", key=KEY, **fields):
    data = {"server_id": samples.SERVER_ID, "kind": "vnc", **signing.once(), **fields}
    return signing.seal(key, purpose, data)


def call(path, line):
    """Return what the display answers to a word, b"" when the relay hangs up."""
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(10)
        caller.connect(str(path))
        caller.sendall(line.encode() + b"\nhello")
        try:
            return caller.recv(100)
        except ConnectionError:
            return b""


def test_a_ticket_opens_the_display(relay):
    assert call(relay, ticket()) == b"hello"


def test_a_ticket_opens_nothing_at_a_relay_that_began_since(folder):
    """It may have been used before, and the relay's memory of that went with its process."""
    driver = Driver(folder)
    driver.spawn(samples.guest(), None, samples.ignore, never)
    Relay(driver, KEY, f"unix:{folder / 'before'}").start()
    line = ticket()
    assert call(folder / "before", line) == b"hello"
    Relay(driver, KEY, f"unix:{folder / 'after'}").start()
    assert call(folder / "after", line) == b""
    assert call(folder / "after", ticket()) == b"hello"
    driver.destroy(samples.SERVER_ID)


def test_a_relay_that_began_with_a_wrong_clock_takes_tickets_once_it_is_set_right(folder, monkeypatch):
    driver = Driver(folder)
    driver.spawn(samples.guest(), None, samples.ignore, never)
    with monkeypatch.context() as wrong:
        wrong.setattr(time, "time", lambda now=time.time: now() + 3600)
        Relay(driver, KEY, f"unix:{folder / 'ahead'}").start()
    assert call(folder / "ahead", ticket()) == b"hello"
    driver.destroy(samples.SERVER_ID)


def test_a_ticket_of_a_clock_ahead_is_good_once_for_as_long_as_it_is_good(relay, monkeypatch):
    right, steady = time.time, time.monotonic
    monkeypatch.setattr(time, "time", lambda: right() + 50)
    line = ticket()
    monkeypatch.setattr(time, "time", right)
    assert call(relay, line) == b"hello"
    for clock, name in ((right, "time"), (steady, "monotonic")):
        monkeypatch.setattr(time, name, lambda clock=clock: clock() + 70)
    assert call(relay, ticket()) == b"hello"
    assert call(relay, line) == b""


def test_a_ticket_opens_it_once(relay):
    line = ticket()

    assert call(relay, line) == b"hello"
    assert call(relay, line) == b""


@pytest.mark.parametrize(
    "line",
    [
        {"purpose": "image"},
        {"key": b"x" * 40},
        {"server_id": "00000000-0000-0000-0000-000000000000"},
        {"kind": "telepathy"},
        {"at": "now"},
        signing.seal(KEY, "relay", {"server_id": samples.SERVER_ID}),
        signing.seal(KEY, "relay", {"server_id": 1, "kind": "vnc", "nonce": "a"}),
        "",
        "garbage",
        "é" * 100,
        "x" * 100_000,
    ],
)
def test_anything_else_opens_nothing(relay, line):
    assert call(relay, ticket(**line) if isinstance(line, dict) else line) == b""


def test_an_old_ticket_opens_nothing(relay, monkeypatch):
    made_at = time.time() - 31
    monkeypatch.setattr(Fernet, "encrypt", lambda self, data: self.encrypt_at_time(data, int(made_at)))

    assert call(relay, ticket()) == b""


def test_who_says_nothing_is_let_go(relay, monkeypatch):
    monkeypatch.setattr("compute.worker.relay._PATIENCE_S", 0.2)
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(5)
        caller.connect(str(relay))

        assert caller.recv(1) == b""


def test_much_passes_both_ways_in_order(relay):
    sent = os.urandom(8_000_000)
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(20)
        caller.connect(str(relay))
        caller.sendall(ticket().encode() + b"\n")
        threading.Thread(target=caller.sendall, args=(sent,), daemon=True).start()
        came = bytearray()
        while len(came) < len(sent):
            came += caller.recv(65536)

    assert bytes(came) == sent


def test_a_reader_that_sleeps_stops_the_sender(relay):
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(relay))
        caller.sendall(ticket().encode() + b"\n")
        caller.settimeout(0.5)
        taken = 0
        with pytest.raises(TimeoutError):
            while taken < 64_000_000:
                taken += caller.send(bytes(65536))

    assert taken < 16_000_000


def test_the_socket_belongs_to_the_owner_of_its_folder(relay):
    info, owner = relay.stat(), relay.parent.stat()

    assert (info.st_uid, info.st_gid) == (owner.st_uid, owner.st_gid)
    assert stat.S_IMODE(info.st_mode) == 0o660


def test_tcp_works_as_well(folder):
    driver = Driver(folder)
    driver.spawn(samples.guest(), None, samples.ignore, never)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    Relay(driver, KEY, f"tcp:127.0.0.1:{port}").start()

    with socket.create_connection(("127.0.0.1", port), timeout=5) as caller:
        caller.sendall(ticket().encode() + b"\nhello")
        assert caller.recv(100) == b"hello"


def test_a_caller_who_wishes_is_handed_the_connection_itself(relay):
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(10)
        caller.connect(str(relay))
        caller.sendall(ticket(hand_over=True).encode() + b"\n")
        word, descriptors, _flags, _address = socket.recv_fds(caller, 10, 1)
        assert word == b"+"
        assert caller.recv(10) == b""
    with socket.socket(fileno=descriptors[0]) as display:
        display.settimeout(10)
        display.sendall(b"hello")
        assert display.recv(10) == b"hello"


@pytest.mark.parametrize("hand_over", [True, False])
def test_a_display_that_takes_callers_slowly_gets_them_all(folder, hand_over):
    """QEMU's queue one caller, and the kernel sends away all others: each has to come again."""
    driver = Driver(folder)
    driver.spawn(samples.guest(), None, samples.ignore, never)
    slow = socket.socket(socket.AF_UNIX)
    driver.path = folder / "slow.sock"
    slow.bind(str(driver.path))
    slow.listen(0)
    slow.settimeout(30)
    Relay(driver, KEY, f"unix:{folder / 'relay.sock'}").start()
    callers = []
    for _ in range(5):
        callers.append(socket.socket(socket.AF_UNIX))
        callers[-1].settimeout(10)
        callers[-1].connect(str(folder / "relay.sock"))
        callers[-1].sendall(ticket(hand_over=hand_over).encode() + b"\n")
    time.sleep(0.3)
    peers = [slow.accept()[0] for _ in callers]
    for peer in peers:
        peer.sendall(b"hello")
    said = [socket.recv_fds(caller, 10, 1)[:2] for caller in callers]
    assert [word for word, _handed in said] == [b"+" if hand_over else b"hello"] * len(callers)
    for descriptor in (descriptor for _word, handed in said for descriptor in handed):
        with socket.socket(fileno=descriptor) as display:
            assert display.recv(10) == b"hello"
    for one in (*callers, *peers, slow):
        one.close()
    driver.destroy(samples.SERVER_ID)


async def test_very_many_callers_at_once_are_all_let_in(relay):
    async def echo(line):
        reader, writer = await asyncio.open_unix_connection(sock=await connected(str(relay)))
        writer.write(line.encode() + b"\nhello")
        async with asyncio.timeout(60):
            said = await reader.read(5)
        writer.close()
        return said

    assert await asyncio.gather(*(echo(ticket()) for _ in range(300))) == [b"hello"] * 300


def test_one_caller_too_many_is_sent_away_and_the_others_go_on(relay, monkeypatch):
    monkeypatch.setattr(relays, "MOST", 2)
    kept = []
    for _ in range(2):
        kept.append(socket.socket(socket.AF_UNIX))
        kept[-1].connect(str(relay))
        kept[-1].sendall(ticket().encode() + b"\nhello")
        assert kept[-1].recv(10) == b"hello"
    assert call(relay, ticket()) == b""
    for caller in kept:
        caller.sendall(b"again")
        assert caller.recv(10) == b"again"
    kept.pop().close()
    wait_for("the place to be free", lambda: call(relay, ticket()) == b"hello")
    kept.pop().close()
