"""Serial ports through the relay: shared, shown from the last lines on, and never held up by somebody slow."""

import asyncio
import os
import socket
import tempfile
import time
from pathlib import Path

import pytest

from compute.virt.driver import never
from compute.virt.fake import FakeDriver
from compute.worker import serial
from compute.worker.relay import Relay
from tests.compute.virt import samples
from tests.compute.worker.test_relay import KEY, ticket


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="nebulet-serial-") as path:
        yield Path(path)


@pytest.fixture
def guest(folder):
    driver = FakeDriver(folder)
    driver.spawn(samples.guest(), None, samples.ignore, never)
    Relay(driver, KEY, f"unix:{folder}/relay.sock").start()
    yield driver
    driver.destroy(samples.SERVER_ID)


class Terminal:
    """Somebody who looks at the port."""

    def __init__(self, folder, **fields):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(5)
        self.socket.connect(str(folder / "relay.sock"))
        self.socket.sendall(ticket(kind="serial", **fields).encode() + b"\n")
        self.seen = b""

    def until(self, text):
        while text not in self.seen:
            more = self.socket.recv(65536)
            assert more, self.seen
            self.seen += more
        return self.seen

    def type(self, text):
        self.socket.sendall(text)


def test_a_newcomer_sees_the_last_lines_and_types(folder, guest):
    with Terminal(folder).socket as _, (one := Terminal(folder)).socket:
        assert b"login: " in one.until(b"login: ")
        one.type(b"hello\r")
        one.until(b"hello: this guest is pretended")
    assert b"hello: this guest is pretended" in guest.console_log(samples.SERVER_ID).read_bytes()


def test_two_share_one_port(folder, guest):
    one, two = Terminal(folder), Terminal(folder)
    with one.socket, two.socket:
        one.until(b"login: ")
        two.until(b"login: ")
        one.type(b"first\r")
        two.until(b"first: this guest")
        two.type(b"second\r")
        one.until(b"second: this guest")
        one.socket.close()
        two.type(b"alone\r")
        two.until(b"alone: this guest")


def test_the_port_is_free_again_once_all_have_gone(folder, guest):
    for word in (b"once\r", b"again\r"):
        terminal = Terminal(folder)
        with terminal.socket:
            terminal.until(b"login: ")
            terminal.type(word)
            terminal.until(word.strip() + b": this guest")


def test_it_ends_when_the_guest_does(folder, guest):
    terminal = Terminal(folder)
    with terminal.socket:
        terminal.until(b"login: ")
        terminal.type(b"x")
        guest.power_off(samples.SERVER_ID, 0)
        while terminal.socket.recv(65536):
            pass


def test_a_guest_that_is_off_has_no_port(folder, guest):
    guest.power_off(samples.SERVER_ID, 0)
    with Terminal(folder).socket as caller:
        assert caller.recv(10) == b""


async def test_somebody_slow_misses_a_part_and_holds_up_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(serial, "_BEHIND", 64 * 1024)
    talk = asyncio.Event()

    async def chatter(reader, writer):
        await talk.wait()
        for number in range(400):
            writer.write(f"{number:>9}\n".encode() * 1000)
            await writer.drain()
        writer.write(b"the end\n")

    path = tempfile.mkdtemp(prefix="nebulet-serial-")
    server = await asyncio.start_unix_server(chatter, f"{path}/serial.sock")
    ports = serial.SerialPorts(lambda _server_id: tmp_path / "console.log")

    async def serve(reader, writer):
        await ports.carry("server", f"{path}/serial.sock", reader, writer)
        writer.close()

    relay = await asyncio.start_unix_server(serve, f"{path}/relay.sock")
    slow, slow_writer = await asyncio.open_unix_connection(f"{path}/relay.sock", limit=1024)
    quick, quick_writer = await asyncio.open_unix_connection(f"{path}/relay.sock")
    await asyncio.sleep(0.1)
    talk.set()
    begun = time.monotonic()
    seen = b""
    while b"the end" not in seen:
        seen = seen[-100:] + await quick.read(1 << 20)
    assert time.monotonic() - begun < 5
    slow_writer.write(b"?")
    came = b""
    while len(came) < 10_000_000:
        try:
            came += await asyncio.wait_for(slow.read(1 << 20), 0.5)
        except TimeoutError:
            break
    assert len(came) < 3_000_000
    for one in (slow_writer, quick_writer):
        one.close()
    server.close()
    relay.close()
    os.unlink(f"{path}/serial.sock")


def test_a_long_log_is_shown_from_the_beginning_of_a_line(tmp_path):
    log = tmp_path / "console.log"
    assert serial.last_screen(log) == b""
    log.write_bytes(b"".join(b"line %d\n" % number for number in range(5000)))
    shown = serial.last_screen(log)
    assert shown.startswith(b"line ")
    assert shown.endswith(b"line 4999\n")
    assert len(shown) <= 8192
