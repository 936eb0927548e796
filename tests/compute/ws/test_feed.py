"""The feed: ids of servers that changed, numbered, to those who may know."""

import pytest
from asgiref.sync import sync_to_async

from compute.services import power
from compute.states import Action
from compute.ws import closing
from tests.kit.compute import member
from tests.kit.websocket import Page

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_page_hears_of_each_change_in_its_project(cloud):
    page, stranger = Page("/ws/servers/", cloud.ctx), Page("/ws/servers/", member("f" * 32))
    await page.connect()
    await stranger.connect()

    server = await sync_to_async(cloud.build)()
    with cloud.commits():
        await sync_to_async(power.stop)(ctx=cloud.again(), server=server)
    server = await sync_to_async(cloud.fresh)(server)
    await sync_to_async(cloud.tell)(cloud.box.finished(server, Action.STOP))

    heard = []
    while not await page.receive_nothing(timeout=0.2):
        heard.append(await page.receive_json())
    assert {message["id"] for message in heard} == {server.pk}
    assert [message["n"] for message in heard] == list(range(1, len(heard) + 1))
    assert len(heard) == 5  # created, placed, built, stopping, stopped
    assert await stranger.receive_nothing()
    await page.disconnect()
    await stranger.disconnect()


async def test_operators_hear_of_every_project(cloud, operator):
    page = Page("/ws/servers/", operator)
    await page.connect()
    server = await sync_to_async(cloud.create)()
    assert await page.receive_json() == {"id": server.pk, "n": 1}
    await page.disconnect()


async def test_nobody_is_sent_away():
    page = Page("/ws/servers/")
    await page.connect()
    assert await page.closed() == closing.SIGN_IN


async def test_an_unknown_address_is_refused():
    page = Page("/ws/nothing/")
    await page.send_input({"type": "websocket.connect"})
    assert (await page.receive_output())["type"] == "websocket.close"
