"""The display: one token, one connection, bytes both ways, an end when the right ends."""

import asyncio
from dataclasses import replace

import pytest
from asgiref.sync import sync_to_async

from compute.models import Host, Server
from compute.services import consoles
from compute.states import VmState
from compute.ws import closing
from compute.ws import relay as relay_of_host
from portal.core import bus, signing
from tests.compute.ws.holders import holding
from tests.kit.websocket import Page

pytestmark = pytest.mark.django_db(transaction=True)


class Guest:
    """A relay that checks the ticket and then says everything twice."""

    def __init__(self, path: str) -> None:
        self.path, self.tickets = path, []

    async def __aenter__(self) -> "Guest":
        self.server = await asyncio.start_unix_server(self.serve, self.path)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ticket = (await reader.readline()).decode().strip()
        self.tickets.append(signing.unseal(bus.queue_key(), "relay", ticket, 30))
        writer.write(b"RFB 003.008\n")
        while data := await reader.read(1000):
            writer.write(data * 2)
            await writer.drain()
        writer.close()


@pytest.fixture
def access(cloud, tmp_path):
    Host.objects.update(relay=f"unix:{tmp_path}/relay.sock")
    server = cloud.build()
    return consoles.issue(ctx=cloud.ctx, server=server), server


async def test_bytes_go_both_ways(cloud, access, tmp_path):
    async with Guest(f"{tmp_path}/relay.sock") as guest:
        browser = Page(access[0].websocket_path, cloud.ctx, subprotocols=["binary"])
        assert await browser.connect() == "binary"
        assert await browser.receive() == b"RFB 003.008\n"
        await browser.send_bytes(b"abc")
        assert await browser.receive() == b"abcabc"
        assert guest.tickets[0]["server_id"] == access[1].pk
        assert guest.tickets[0]["kind"] == "vnc"
        await browser.disconnect()

        again = Page(access[0].websocket_path, cloud.ctx)
        await again.connect()
        assert await again.closed() == closing.REFUSED


async def test_a_token_is_good_whatever_project_its_holder_looks_at_in_this_browser(cloud, access, tmp_path, monkeypatch):
    monkeypatch.setattr(closing.while_allowed, "__defaults__", (0.05,))
    await sync_to_async(holding)(cloud.ctx)
    async with Guest(f"{tmp_path}/relay.sock"):
        browser = Page(access[0].websocket_path, replace(cloud.ctx, project_id="f" * 32, roles=frozenset({"reader"})))
        await browser.connect()
        assert await browser.receive() == b"RFB 003.008\n"
        await asyncio.sleep(0.3)  # looked at several times
        await browser.send_bytes(b"abc")
        assert await browser.receive() == b"abcabc"
        await browser.disconnect()


@pytest.mark.parametrize("path", ["/ws/vnc/", "/ws/vnc/?token=x", "/ws/vnc/?token=", "/ws/vnc/?path=elsewhere&host=evil"])
async def test_without_a_token_there_is_nothing(cloud, path):
    browser = Page(path, cloud.ctx)
    await browser.connect()
    assert await browser.closed() == closing.REFUSED


async def test_a_program_with_a_wrong_token_is_not_let_in_at_all(cloud):
    program = Page("/ws/vnc/?token=x", origin="")
    await program.send_input({"type": "websocket.connect"})
    assert (await program.receive_output(timeout=3))["type"] == "websocket.close"


async def test_a_host_without_a_relay_is_told(cloud, access):
    browser = Page(access[0].websocket_path, cloud.ctx)
    await browser.connect()
    assert await browser.closed() == closing.UNAVAILABLE


async def test_the_display_closes_when_the_server_stops(cloud, access, tmp_path, monkeypatch):
    monkeypatch.setattr(closing.while_allowed, "__defaults__", (0.05,))
    async with Guest(f"{tmp_path}/relay.sock"):
        browser = Page(access[0].websocket_path, cloud.ctx)
        await browser.connect()
        await browser.receive()
        await sync_to_async(Server.objects.update)(vm_state=VmState.STOPPED)
        assert await browser.closed() == closing.ENDED


async def test_a_flood_from_the_guest_waits_for_the_browser(cloud, access, tmp_path):
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readline()
        try:
            while sent < 50_000_000:
                writer.write(bytes(65536))
                await writer.drain()
                sent += 65536
        except ConnectionError:
            pass
        writer.close()

    relay = await asyncio.start_unix_server(flood, f"{tmp_path}/relay.sock")
    way = await relay_of_host.open_relay(await sync_to_async(consoles.redeem)(access[0].token))
    await asyncio.sleep(0.3)
    assert sent < 5_000_000
    assert set(await way.read()) == {0}
    way.close()
    relay.close()
