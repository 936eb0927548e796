"""The serial port through a websocket, and who is named as looking at it."""

import asyncio
import json

import pytest
import redis
from asgiref.sync import sync_to_async

from accounts.models import User
from compute.models import Host
from compute.services import console_boots, console_visits, consoles
from compute.virt.driver import never
from compute.virt.fake import FakeDriver
from compute.worker.relay import Relay
from compute.ws import closing
from portal.core import bus
from portal.core.errors import Forbidden, NotFound, Unavailable
from tests.accounts.factories import UserFactory
from tests.compute.virt import samples
from tests.kit.compute import member
from tests.kit.queue import private_redis  # noqa: F401
from tests.kit.websocket import Page

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(cloud, tmp_path, private_redis, settings):  # noqa: F811
    settings.REDIS_URL = private_redis
    consoles.queue.cache_clear()
    server = cloud.build()
    driver = FakeDriver(tmp_path / "i", sockets=tmp_path)
    driver.spawn(samples.guest(server_id=server.pk), None, samples.ignore, never)
    Relay(driver, bus.queue_key(), f"unix:{tmp_path}/relay.sock").start()
    Host.objects.update(relay=f"unix:{tmp_path}/relay.sock")
    driver.power_off(server.pk, 0)
    driver.power_on(server.pk)
    yield server
    driver.destroy(server.pk)
    consoles.queue.cache_clear()


async def opened(ctx, server):
    access = await sync_to_async(consoles.issue)(ctx=ctx, server=server, kind=consoles.SERIAL)
    page = Page(access.websocket_path, ctx)
    await page.connect()
    return page, access


async def shown(page, text):
    seen = b""
    while text not in seen:
        seen += await page.receive()
    return seen


async def test_one_types_and_both_see(cloud, server):
    one, _ = await opened(cloud.ctx, server)
    two, _ = await opened(cloud.ctx, server)
    for page in (one, two):
        await shown(page, b"login: ")
    await one.send_bytes(b"root\r")
    for page in (one, two):
        await shown(page, b"root: this guest is pretended")
    await two.send_input({"type": "websocket.receive", "text": "text\r"})
    await shown(one, b"text: this guest is pretended")
    for page in (one, two):
        await page.disconnect()


async def test_those_who_have_it_open_are_named_until_they_leave(cloud, server):
    await sync_to_async(UserFactory)(id=cloud.ctx.user_id, name="demo")
    seen = sync_to_async(lambda: console_visits.visitors(ctx=cloud.ctx, server=server))
    assert await seen() == []
    one, first = await opened(cloud.ctx, server)
    two, second = await opened(cloud.ctx, server)
    await shown(two, b"login: ")
    visitors = await seen()
    assert [(visitor.name, visitor.kind) for visitor in visitors] == [("demo", "serial")] * 2
    assert {visitor.visit for visitor in visitors} == {first.visit, second.visit}
    await one.disconnect()
    assert [visitor.visit for visitor in await seen()] == [second.visit]
    await two.disconnect()
    assert await seen() == []
    with pytest.raises(Forbidden):
        await sync_to_async(console_visits.visitors)(ctx=member(roles=frozenset({"reader"})), server=server)


async def test_somebody_who_went_without_a_word_is_forgotten(cloud, server, settings):
    key = f"nebulet:console-open:{server.pk}"
    gone = {"server_id": server.pk, "user_id": "u", "kind": "novnc", "since": 1, "id": "x"}
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.zadd(key, {json.dumps(gone): 1})
    assert await sync_to_async(console_visits.visitors)(ctx=cloud.ctx, server=server) == []
    page, _ = await opened(cloud.ctx, server)
    await shown(page, b"login: ")
    assert client.zcard(key) == 1
    assert 0 < client.ttl(key) <= 2 * console_visits.FRESH_S
    await page.disconnect()
    assert not await User.objects.filter(pk="u").aexists()


async def test_a_token_for_the_display_does_not_open_the_port(cloud, server):
    access = await sync_to_async(consoles.issue)(ctx=cloud.ctx, server=server)
    page = Page(f"/ws/serial/?token={access.token}", cloud.ctx)
    await page.connect()
    assert await page.closed() == closing.REFUSED
    await asyncio.sleep(0)


def test_the_logs_of_earlier_boots_come_by_the_relay(cloud, server):
    (boot,) = console_boots.earlier(ctx=cloud.ctx, server=server)
    assert boot.number == 1
    assert "boot number 1 is complete" in console_boots.log_of(ctx=cloud.ctx, server=server, number=1)
    assert "\r" not in console_boots.log_of(ctx=cloud.ctx, server=server, number=1)
    with pytest.raises(NotFound):
        console_boots.log_of(ctx=cloud.ctx, server=server, number=2)
    for question in (console_boots.earlier, lambda **who: console_boots.log_of(number=1, **who)):
        with pytest.raises(Forbidden):
            question(ctx=member(roles=frozenset({"reader"})), server=server)
    Host.objects.update(relay="unix:/nowhere")
    with pytest.raises(Unavailable):
        console_boots.earlier(ctx=cloud.ctx, server=server)
