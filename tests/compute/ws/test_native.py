"""Native viewers: a password that is good once, the display behind it, and an end when the right ends."""

import asyncio
import struct

import pytest
from asgiref.sync import sync_to_async

from compute.models import ConsoleToken, Host, Server
from compute.services import consoles, native_viewers
from compute.states import VmState
from compute.virt.driver import never
from compute.virt.fake import FakeDriver
from compute.worker.relay import Relay
from compute.ws import closing, native
from portal.core import bus
from portal.core.errors import Forbidden
from tests.compute.virt import samples
from tests.compute.ws.holders import holding

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(cloud, tmp_path):
    """A server whose host pretends: its display and its relay are real sockets; its user is there and has his role."""
    holding(cloud.ctx)
    server = cloud.build()
    driver = FakeDriver(tmp_path / "i", sockets=tmp_path)
    driver.spawn(samples.guest(server_id=server.pk), None, samples.ignore, never)
    Relay(driver, bus.queue_key(), f"unix:{tmp_path}/relay.sock").start()
    Host.objects.update(relay=f"unix:{tmp_path}/relay.sock")
    yield server
    driver.destroy(server.pk)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(closing.while_allowed, "__defaults__", (0.05,))
    monkeypatch.setattr(native, "WRONG_S", 0.01)


class Viewer:
    """A viewer of RFB's version 3.``minor``."""

    def __init__(self, minor=8):
        self.minor = minor
        self.before_the_answer_s = 0.0

    async def __aenter__(self):
        self.listener = await asyncio.start_server(native.ViewerDoor().serve, "127.0.0.1", 0)
        port = self.listener.sockets[0].getsockname()[1]
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        return self

    async def __aexit__(self, *_):
        self.writer.close()
        self.listener.close()

    async def say(self, password, kind=2):
        """Return the word that stands for the outcome: 0 is success."""
        assert await self.reader.readexactly(12) == b"RFB 003.008\n"
        self.writer.write(b"RFB 003.%03d\n" % self.minor)
        if self.minor >= 7:
            assert await self.reader.readexactly(2) == b"\x01\x02"
            self.writer.write(bytes((kind,)))
        else:
            assert await self.reader.readexactly(4) == b"\x00\x00\x00\x02"
        challenge = await self.reader.readexactly(16)
        await asyncio.sleep(self.before_the_answer_s)
        self.writer.write(native_viewers.answer(password, challenge))
        return struct.unpack("!I", await asyncio.wait_for(self.reader.readexactly(4), 5))[0]

    async def name(self):
        """Go in and return the display's name."""
        self.writer.write(b"\x01")
        header = await self.reader.readexactly(24)
        return await self.reader.readexactly(struct.unpack("!I", header[20:])[0])


@sync_to_async
def password_for(ctx, server, **more):
    token = consoles.issue(ctx=ctx, server=server, kind=consoles.NATIVE, **more).token
    return native_viewers.access_of(token).password


@pytest.mark.parametrize("minor", [3, 7, 8, 889])
async def test_a_viewer_with_the_password_sees_the_display(cloud, server, minor):
    async with Viewer(minor) as viewer:
        assert await viewer.say(await password_for(cloud.ctx, server)) == 0
        assert await viewer.name() == b"1111"


async def test_a_password_is_good_once(cloud, server, quick):
    password = await password_for(cloud.ctx, server)
    async with Viewer() as viewer, Viewer() as second:
        assert await viewer.say(password) == 0
        assert await second.say(password) == 1
        assert b"not valid" in await second.reader.read()


async def test_made_up_and_old_passwords_open_nothing(cloud, server, quick):
    password = await password_for(cloud.ctx, server)
    for wrong in ("", "x", password[::-1] + "x", password.swapcase()):
        async with Viewer() as viewer:
            assert await viewer.say(wrong) == 1
    await ConsoleToken.objects.aupdate(expires_at="2020-01-01T00:00:00Z")
    async with Viewer() as viewer:
        assert await viewer.say(password) == 1


async def test_who_knows_no_passwords_or_no_rfb_is_let_go(server):
    async with Viewer() as viewer:
        with pytest.raises(asyncio.IncompleteReadError):
            await viewer.say("", kind=1)
    async with Viewer() as viewer:
        viewer.writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await viewer.reader.read() == b"RFB 003.008\n"


@pytest.mark.parametrize("patience", ["SPEAKS_S", "PATIENCE_S"])
async def test_those_who_only_wait_do_not_fill_the_door(monkeypatch, patience):
    assert native.SPEAKS_S <= 10 < native.PATIENCE_S
    monkeypatch.setattr(native, patience, 0.3)
    door = native.ViewerDoor()
    listener = await asyncio.start_server(door.serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(native.AT_ONCE_PER_ADDRESS + 1)]
    assert await opened[-1][0].read() == b""
    for reader, _writer in opened[:-1]:
        assert await reader.read() == b"RFB 003.008\n"
    assert not door.waiting
    for _reader, writer in opened:
        writer.close()
    listener.close()


async def test_who_asks_his_user_for_the_password_has_time_for_that(cloud, server, monkeypatch):
    monkeypatch.setattr(native, "SPEAKS_S", 0.2)
    password = await password_for(cloud.ctx, server)
    async with Viewer() as viewer:
        viewer.before_the_answer_s = 0.5
        assert await viewer.say(password) == 0


async def test_a_viewer_goes_when_the_server_stops(cloud, server, quick):
    async with Viewer() as viewer:
        assert await viewer.say(await password_for(cloud.ctx, server)) == 0
        await viewer.name()
        with pytest.raises(TimeoutError):  # looked at several times, and not ended
            await asyncio.wait_for(viewer.reader.read(), 0.3)
        await Server.objects.aupdate(vm_state=VmState.STOPPED)
        assert await asyncio.wait_for(viewer.reader.read(), 5) == b""


async def test_a_token_of_one_kind_opens_no_other(cloud, server):
    tokens = {}
    for kind in consoles.DISPLAYS:
        tokens[kind] = (await sync_to_async(consoles.issue)(ctx=cloud.ctx, server=server, kind=kind)).token
    for kind in consoles.DISPLAYS:
        for other in set(consoles.DISPLAYS) - {kind}:
            with pytest.raises(Forbidden):
                await sync_to_async(consoles.redeem)(tokens[kind], other)
    with pytest.raises(Forbidden):
        await sync_to_async(native_viewers.access_of)(tokens[consoles.NOVNC])


async def test_a_token_of_a_session_that_ended_opens_nothing(cloud, server, quick):
    password = await password_for(cloud.ctx, server, session_key="k" * 32)
    async with Viewer() as viewer:
        assert await viewer.say(password) == 1


def test_the_answer_is_the_one_of_the_protocol():
    """The word "password" as old viewers write it into their files, with the key that all of them know."""
    key = bytes((23, 82, 107, 6, 35, 78, 88, 7)).decode("latin1")
    assert native_viewers.answer(key, b"password").hex() == "dbd83cfd727a1458"


async def test_a_taken_port_costs_the_native_viewers_alone():
    taken = await asyncio.start_server(native.ViewerDoor().serve, "127.0.0.1", 0)
    door = native.ViewerDoor()
    await door.open("127.0.0.1", taken.sockets[0].getsockname()[1])
    await door.close()
    taken.close()
