"""The boot log as it grows, from a stream that a host fills while the lease lives."""

import asyncio

import pytest
import redis
from asgiref.sync import sync_to_async

from compute.models import Server
from compute.services import consoles
from compute.ws import closing, console
from compute.ws.log_feed import WAITING_MOST, LogFeed, Reader
from portal.core.errors import Conflict, Forbidden
from tests.kit.compute import ServerFactory, member
from tests.kit.queue import private_redis  # noqa: F401
from tests.kit.websocket import Page

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stream(private_redis, settings):  # noqa: F811
    settings.REDIS_URL = private_redis
    consoles.queue.cache_clear()
    yield redis.Redis.from_url(private_redis)
    consoles.queue.cache_clear()


def tell(client, server_id: str, *parts: tuple[int, bytes | None]) -> None:
    for offset, data in parts:
        fields = {"o": offset, "e": "caught-up"} if data is None else {"o": offset, "d": data}
        client.xadd(f"nebulet:console:{server_id}", fields)


async def test_the_log_grows_on_the_page(cloud, stream):
    server = await sync_to_async(cloud.build)()
    tell(stream, server.pk, (0, b"Linux \xe4\xbd"), (8, b"\xa0 booting\n"), (18, None))
    page = Page(f"/ws/servers/{server.pk}/log/", cloud.ctx)
    await page.connect()
    text = ""
    while len(text) < 16:
        text += await page.receive()
    assert text == "Linux \u4f60 booting\n"
    tell(stream, server.pk, (18, b"login: "))
    assert await page.receive(timeout=3) == "login: "
    for _ in range(20):
        if stream.exists(f"nebulet:console-lease:{server.pk}"):
            break
        await asyncio.sleep(0.05)
    assert 0 < stream.ttl(f"nebulet:console-lease:{server.pk}") <= 15
    await page.disconnect()


async def test_a_page_goes_on_where_it_was(cloud, stream):
    server = await sync_to_async(cloud.build)()
    tell(stream, server.pk, (0, b"0123456789"), (10, b"abc"))
    page = Page(f"/ws/servers/{server.pk}/log/?from=8", cloud.ctx)
    await page.connect()
    text = ""
    while len(text) < 5:
        text += await page.receive()
    assert text == "89abc"
    await page.disconnect()


async def test_all_who_read_share_one_reader_of_the_stream(cloud, stream):
    server = await sync_to_async(cloud.build)()
    tell(stream, server.pk, (0, b"boot\n\xe4"), (6, None))
    pages = [Page(f"/ws/servers/{server.pk}/log/", cloud.ctx) for _ in range(5)]
    for page in pages:
        await page.connect()
        assert await page.receive() == "boot\n"
    connections = len(stream.client_list(_type="normal"))
    assert connections <= 4, "the test's, one that waits for news and one that holds the lease, not one for each page"
    tell(stream, server.pk, (6, b"\xbd\xa0 more\n"))
    for page in pages:
        assert await page.receive() == "\u4f60 more\n"
    await pages[0].disconnect()
    tell(stream, server.pk, (14, b"end\n"))
    for page in pages[1:]:
        assert await page.receive() == "end\n"
        await page.disconnect()
    assert not LogFeed._feeds


async def test_a_host_that_begins_anew_while_one_opens_the_page_is_read_from_the_start(cloud, stream, monkeypatch):
    server = await sync_to_async(cloud.build)()
    tell(stream, server.pk, (0, b"boot\n"), (5, None))
    begin = LogFeed._begin

    async def begin_and_be_late(feed: LogFeed) -> None:
        await begin(feed)
        stream.delete(consoles.stream_key(server.pk))  # the host took up the lease
        tell(stream, server.pk, (0, b"boot\n"), (5, None))

    monkeypatch.setattr(LogFeed, "_begin", begin_and_be_late)
    page = Page(f"/ws/servers/{server.pk}/log/", cloud.ctx)
    await page.connect()
    assert await page.receive(timeout=3) == "boot\n"
    await page.disconnect()


async def test_a_host_that_begins_anew_tells_nobody_twice(cloud, stream):
    server = await sync_to_async(cloud.build)()
    tell(stream, server.pk, (0, b"boot\n"), (5, None))
    page = Page(f"/ws/servers/{server.pk}/log/", cloud.ctx)
    await page.connect()
    assert await page.receive() == "boot\n"
    stream.delete(consoles.stream_key(server.pk))
    tell(stream, server.pk, (0, b"boot\n"), (5, b"more\n"), (10, None))
    assert await page.receive(timeout=3) == "more\n"
    await page.disconnect()


async def test_a_reader_who_does_not_take_it_misses_the_oldest():
    reader = Reader()
    for number in range(WAITING_MOST + 5):
        reader.tell([(b"1-0", {b"o": b"%d" % (2 * number), b"d": b"%02d" % number})])
    text = [await asyncio.wait_for(reader.read(), 1) for _ in range(WAITING_MOST)]
    assert text[0] == "05"
    assert text[-1] == f"{WAITING_MOST + 4:02}"


async def test_a_page_closes_when_the_right_to_the_log_ends(cloud, stream, monkeypatch):
    monkeypatch.setattr(console, "RECHECK_S", 0.05)
    server = await sync_to_async(cloud.build)()
    page = Page(f"/ws/servers/{server.pk}/log/", cloud.ctx)
    await page.connect()
    await Server.objects.filter(pk=server.pk).aupdate(project_id="f" * 32)
    assert await page.closed() == closing.ENDED
    await page.disconnect()


async def test_the_log_of_others_is_not_there(cloud, stream):
    server = await sync_to_async(cloud.build)()
    for ctx, code in (
        (None, closing.SIGN_IN),
        (member("f" * 32, "f" * 32), closing.GONE),
        (member(roles=frozenset({"reader"})), closing.REFUSED),
    ):
        page = Page(f"/ws/servers/{server.pk}/log/", ctx)
        await page.connect()
        assert await page.closed() == code


def test_output_has_no_control_characters(cloud, stream):
    server = cloud.build()
    tell(stream, server.pk, (0, b"\x1b[31mred\x1b[0m\r\n\ttab\x00\x07\n"), (24, None))
    stream.set(consoles.lease_key(server.pk), 1, ex=15)
    assert consoles.output(ctx=cloud.ctx, server=server) == "[31mred[0m\n\ttab\n"


def test_output_waits_for_the_host_and_gives_the_last_lines(cloud, stream):
    server = cloud.build()
    listener = stream.pubsub(ignore_subscribe_messages=True)
    listener.subscribe("nebulet:console:host-1")
    listener.get_message(timeout=1)
    tell(stream, server.pk, (0, b"one\ntwo\nthree\n"), (14, None))
    stream.set(consoles.lease_key(server.pk), 1, ex=15)
    assert consoles.output(ctx=cloud.ctx, server=server) == "one\ntwo\nthree\n"
    assert consoles.output(ctx=cloud.ctx, server=server, lines=2) == "three\n"
    assert consoles.output(ctx=cloud.ctx, server=server, lines=0) == ""
    assert listener.get_message(timeout=1)["data"] == server.pk.encode()
    with pytest.raises(Forbidden):
        consoles.output(ctx=member(roles=frozenset({"reader"})), server=server)
    with pytest.raises(Conflict):
        consoles.output(ctx=cloud.ctx, server=ServerFactory(host=None))
    assert Server.objects.count() == 2
