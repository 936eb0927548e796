"""Very many consoles at once: all work, whoever would be too many is told so, and nothing remains of those who left.

The web server, the websockets, the relay and the queue are real, the guests pretend.
"""

import asyncio
import os
import socket
import threading
from collections import Counter
from dataclasses import asdict
from datetime import timedelta

import httpx
import pytest
import redis
import uvicorn
import websockets
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from django.conf import settings as configured
from django.core.wsgi import get_wsgi_application
from django.test import Client
from django.utils import timezone

from accounts.models import Project
from accounts.standing import Standing
from accounts.websocket import SameOrigin, SessionContextMiddleware
from compute.models import ConsoleToken, Host
from compute.services import consoles
from compute.virt.driver import never
from compute.virt.fake import FakeDriver
from compute.worker.console import ConsoleTailer
from compute.worker.relay import Relay
from compute.ws import closing, crowd, native, rfb
from compute.ws.log_feed import LogFeed
from compute.ws.urls import websocket_urlpatterns
from portal.core import bus, connections
from portal.core.sockets import SocketLog
from portal.threads import ThreadPool
from tests.accounts.factories import AssignmentFactory, RoleFactory, UserFactory
from tests.compute.virt import samples
from tests.kit.compute import member
from tests.kit.queue import private_redis  # noqa: F401
from tests.kit.waiting import wait_for
from tests.kit.websocket import Page

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_S = 60
USERS = 5
KINDS = [consoles.NOVNC] * 60 + [consoles.SERIAL] * 25 + ["log"] * 15
HASTY = 5
FIRST_WORDS = {consoles.NOVNC: b"RFB 003.008\n", consoles.SERIAL: b"login: ", "log": b"Linux version"}
TYPED = {consoles.NOVNC: (b"RFB 003.008\n", b"\x01\x01"), consoles.SERIAL: (b"id\r", b"id: this guest is pretended")}


class Web:
    """The web process: its websockets and its pages, in a thread."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
        self.place = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._sockets = SocketLog(SameOrigin(SessionContextMiddleware(URLRouter(websocket_urlpatterns))), service="compute")
        self._pages = ThreadPool(get_wsgi_application(), workers=4)
        options = {"ws": "websockets-sansio", "ws_per_message_deflate": False, "lifespan": "off", "log_config": None}
        self._server = uvicorn.Server(uvicorn.Config(self, **options))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True)

    async def __aenter__(self) -> "Web":
        self._thread.start()
        while not self._server.started:
            await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        await asyncio.to_thread(self._thread.join)

    async def __call__(self, scope, receive, send):
        await (self._sockets if scope["type"] == "websocket" else self._pages)(scope, receive, send)


class Viewer:
    """Somebody who looks at one console."""

    def __init__(self, web: Web, kind: str, address: str, cookie: str) -> None:
        self._web, self.kind, self.address, self._cookie = web, kind, address, cookie

    async def open(self) -> "Viewer":
        """Come in and see the first words."""
        self.socket = await websockets.connect(
            f"ws://{self._web.place}{self.address}",
            open_timeout=PATIENCE_S,
            origin=f"http://{self._web.place}",
            additional_headers={"Cookie": self._cookie} if self._cookie else {},
            compression=None,
        )
        await self.see(FIRST_WORDS[self.kind])
        return self

    async def see(self, words: bytes) -> None:
        seen = b""
        async with asyncio.timeout(PATIENCE_S):
            while words not in seen:
                part = await self.socket.recv()
                seen += part if isinstance(part, bytes) else part.encode()

    async def use(self) -> None:
        """Type something and see what comes of it; one who reads a log has nothing to type."""
        if self.kind in TYPED:
            typed, shown = TYPED[self.kind]
            await self.socket.send(typed)
            await self.see(shown)

    async def hang_up_early(self) -> None:
        """Ask for the console, and be gone before it is there."""
        _reader, writer = await asyncio.open_connection(*self._web.place.split(":"))
        head = f"GET {self.address} HTTP/1.1\r\nHost: {self._web.place}\r\nOrigin: http://{self._web.place}\r\n"
        writer.write(f"{head}Upgrade: websocket\r\nConnection: Upgrade\r\n".encode())
        writer.write(b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n")
        await writer.drain()
        writer.transport.abort()


@pytest.fixture
def queue(private_redis, settings):  # noqa: F811
    settings.REDIS_URL = private_redis
    consoles.queue.cache_clear()
    yield redis.Redis.from_url(private_redis)
    consoles.queue.cache_clear()


@pytest.fixture
def guests(cloud, tmp_path, queue):
    """One running server for each user, on a host that pretends. Its relay and its reader of logs are real."""
    driver = FakeDriver(tmp_path / "i", sockets=tmp_path)
    servers = [cloud.build() for _ in range(USERS)]
    for server in servers:
        driver.spawn(samples.guest(server_id=server.pk), None, samples.ignore, never)
        driver.power_off(server.pk, 0)
        driver.power_on(server.pk)
    Relay(driver, bus.queue_key(), f"unix:{tmp_path}/relay.sock").start()
    Host.objects.update(relay=f"unix:{tmp_path}/relay.sock")
    tailer = ConsoleTailer(redis.Redis.from_url(configured.REDIS_URL), "host-1", driver.console_log)
    tailer.start()
    yield servers
    tailer.stop()
    for server in servers:
        driver.destroy(server.pk)


@pytest.fixture
def tickets(cloud, guests):
    """What 500 viewers bring: kind, address and cookie; each user looks at a machine of his own."""
    project, roles = Project.objects.get(pk=cloud.ctx.project_id), [RoleFactory(name=name) for name in ("member", "reader")]
    found, rows = [], []
    for n, server in enumerate(guests):
        user = UserFactory()
        for role in roles:
            AssignmentFactory(user=user, role=role, project=project)
        standing = asdict(Standing.of(member(user_id=user.pk)))
        client = Client()
        client.force_login(user, backend="accounts.backends.PasswordBackend")
        name = configured.SESSION_COOKIE_NAME
        cookie = f"{name}={client.cookies[name].value}"
        for place, kind in enumerate(KINDS + [consoles.NOVNC] * HASTY):
            if kind == "log":
                found.append((kind, f"/ws/servers/{server.pk}/log/", cookie))
                continue
            token = f"token-{n}-{place}"
            end = timezone.now() + timedelta(minutes=10)
            rows.append(ConsoleToken(digest=consoles.digest_of(token), server=server, kind=kind, expires_at=end, **standing))
            found.append((kind, f"/ws/{consoles.DISPLAYS[kind]}/?token={token}", ""))
    ConsoleToken.objects.bulk_create(rows)
    return found


def held(queue) -> dict[str, int]:
    """Return what consoles hold in this process and in the queue."""
    names = [thread.name for thread in threading.enumerate()]
    return {
        "descriptors": len(os.listdir("/proc/self/fd")),
        "threads of displays": names.count("fake-display-viewer"),
        "places": len(crowd.CONSOLES),
        "visits": len(queue.keys("nebulet:console-open:*")),
        "readers of logs": len(LogFeed._feeds),
        "connections to the queue": len(queue.client_list()),
    }


@pytest.mark.real
async def test_five_hundred_consoles_work_at_once_and_leave_nothing(tickets, queue):
    connections.allow_many()
    async with Web() as web, httpx.AsyncClient(base_url=f"http://{web.place}", timeout=PATIENCE_S) as pages:
        assert (await pages.get("/identity/v3")).status_code == 200
        before = held(queue)
        viewers = [Viewer(web, *ticket) for ticket in tickets]
        hasty = [viewer for n, viewer in enumerate(viewers) if n % (len(KINDS) + HASTY) >= len(KINDS)]
        patient = [viewer for viewer in viewers if viewer not in hasty]
        opening = asyncio.gather(*(viewer.open() for viewer in patient), *(viewer.hang_up_early() for viewer in hasty))
        assert (await pages.get("/identity/v3")).status_code == 200
        await opening
        assert len(patient) == 500
        assert Counter(viewer.kind for viewer in patient) == {consoles.NOVNC: 300, consoles.SERIAL: 125, "log": 75}
        await asyncio.gather(*(viewer.use() for viewer in patient))
        assert (await pages.get("/identity/v3")).status_code == 200
        assert len(crowd.CONSOLES) >= 500
        for n, viewer in enumerate(patient):
            if n % 2:
                viewer.socket.transport.abort()
        await asyncio.gather(*(viewer.socket.close() for n, viewer in enumerate(patient) if not n % 2))

        def nothing_remains() -> bool:
            now = held(queue)
            few = {
                "descriptors": 32,
                "connections to the queue": 4,
            }  # a pool's threads keep a database each, the host logs for 15 s
            return all(now[what] <= before[what] + few.get(what, 0) for what in now)

        await asyncio.to_thread(wait_for, "all that was opened to be closed", nothing_remains, PATIENCE_S)


async def came_in(page: Page) -> bool:
    """Open a page; whether it stayed open. One that does not is told why."""
    await page.connect()
    answer = await page.receive_output(timeout=10)
    if answer["type"] == "websocket.send":
        return True
    assert (answer["code"], answer["reason"]) == (closing.FULL, crowd.TOLD)
    return False


@pytest.fixture
def few(monkeypatch):
    """Room for five consoles, and for three of one user or one server."""
    monkeypatch.setattr(crowd, "CONSOLES", crowd.Crowd(most=5, each=3))
    return crowd.CONSOLES


def console(server, kind: str, user_id: str, origin: str = "http://testserver") -> Page:
    ctx = member(user_id=user_id)
    return Page(consoles.issue(ctx=ctx, server=server, kind=kind).websocket_path, ctx, origin=origin)


def log(server, user_id: str) -> Page:
    return Page(f"/ws/servers/{server.pk}/log/", member(user_id=user_id))


async def test_nobody_has_all_places_and_who_is_there_goes_on(guests, few):
    console_ = sync_to_async(console)
    mine = [
        await console_(guests[0], consoles.NOVNC, "me"),
        await console_(guests[1], consoles.SERIAL, "me"),
        log(guests[2], "me"),
    ]
    for page in mine:
        assert await came_in(page)
    for too_many in (await console_(guests[0], consoles.NOVNC, "me"), log(guests[3], "me")):
        assert not await came_in(too_many)
    program = await console_(guests[3], consoles.SERIAL, "me", origin="")
    assert not await came_in(program)
    others = [await console_(guests[4], consoles.NOVNC, "you") for _ in range(2)]
    for page in others:
        assert await came_in(page)
    assert not await came_in(await console_(guests[4], consoles.NOVNC, "he")), "there is no room for anybody"
    await mine[0].send_bytes(b"RFB 003.008\n")
    assert await mine[0].receive() == b"\x01\x01"
    await mine.pop().disconnect()
    last = await console_(guests[4], consoles.NOVNC, "he")
    assert await came_in(last)
    assert not await came_in(await console_(guests[4], consoles.NOVNC, "she"))
    for page in (*mine, *others, last):
        await page.disconnect()
    assert len(few) == 0
    assert not few._there


async def test_one_server_does_not_have_all_places(guests, few):
    pages = [await sync_to_async(console)(guests[0], consoles.NOVNC, f"user-{n}") for n in range(4)]
    assert [await came_in(page) for page in pages] == [True, True, True, False]
    for page in pages[:3]:
        await page.disconnect()


async def test_a_native_viewer_too_many_is_told_so(guests, monkeypatch):
    monkeypatch.setattr(crowd, "CONSOLES", crowd.Crowd(most=1, each=1))
    for told in (None, crowd.TOLD):
        access = await sync_to_async(consoles.issue)(ctx=member(), server=guests[0], kind=consoles.NATIVE)
        entry = native._Entry()
        monkeypatch.setattr(native.native_viewers, "digest_behind", lambda *_, access=access: consoles.digest_of(access.token))
        if told is None:
            first = entry
            await entry.admit(b"", b"")
        else:
            with pytest.raises(rfb.Refused, match=told):
                await entry.admit(b"", b"")
            entry.leave()
    assert len(crowd.CONSOLES) == 1
    first.found[1][1].close()
    first.leave()
    assert len(crowd.CONSOLES) == 0


async def test_pages_with_live_rows_are_bounded_too(cloud, monkeypatch):
    monkeypatch.setattr(crowd, "FEEDS", crowd.Crowd(most=5, each=2))
    pages = [Page("/ws/servers/", cloud.ctx) for _ in range(3)]
    for page in pages:
        await page.connect()
    assert await pages[2].closed() == closing.FULL
    await pages[0].disconnect()
    assert await pages[1].receive_nothing(timeout=0.2)
    await pages[1].disconnect()
    await pages[2].disconnect()
    assert len(crowd.FEEDS) == 0
