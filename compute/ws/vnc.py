"""A server's display or serial port, carried between the browser and the relay of its host."""

import asyncio
import logging
from typing import Any
from urllib.parse import parse_qs

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from compute.services import console_visits, consoles
from compute.ws import closing, crowd
from compute.ws.relay import Way, open_relay
from portal.core.context import RequestContext
from portal.core.errors import CloudError

LOG = logging.getLogger(__name__)

STUCK_S = 30.0  # a guest that takes nothing so long, such as a paused one, must not hold a connection that its user left


class Display(crowd.TakesPlace, closing.EndsWithSession, AsyncWebsocketConsumer):
    """Spend the token of ``?token=``, open the relay, and carry bytes both ways until either side, the server or the right ends.

    Each side is read only as fast as the other takes it.
    """

    kind = consoles.NOVNC
    relay: consoles.Relay
    visit: console_visits.Visit | None = None
    way: Way | None = None
    tasks: "list[asyncio.Task[None]]"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Bytes go straight to the guest: Channels makes two tasks of each message, which is most of what an echo would wait for."""

        async def all_else() -> Any:
            while (event := await receive())["type"] == "websocket.receive":
                await self.receive(event.get("text"), event.get("bytes"))
            return event

        await super().__call__(scope, all_else, send)

    async def connect(self) -> None:
        self.tasks = []
        offered = "binary" if "binary" in self.scope.get("subprotocols", []) else None
        token = parse_qs(self.scope["query_string"].decode("latin1")).get("token", [""])[0]
        self.ctx: RequestContext | None = self.scope.get("cloud_context")
        try:
            self.relay = await database_sync_to_async(consoles.redeem)(token, self.kind)
        except CloudError as error:
            LOG.info("A console was refused: %s", error)
            await self._refuse(offered, closing.REFUSED)
            return
        holder = self.relay.holder
        if self.ctx is not None and (self.ctx.user_id, self.ctx.project_id) != (holder.user_id, holder.project_id):
            self.ctx = None  # the token is the right here, whoever else and wherever else this browser is signed in
        self.place = crowd.CONSOLES.enter(holder.user_id, self.relay.server_id)
        if self.place is None:
            await self._refuse(offered, closing.FULL)
            return
        try:
            self.way = await open_relay(self.relay)
        except (OSError, TimeoutError) as error:
            LOG.warning("The relay of instance %s does not answer: %s", self.relay.server_id, error)
            await self._refuse(offered, closing.UNAVAILABLE)
            return
        await self.listen_for_the_end()
        await self.accept(offered)
        self.visit = await sync_to_async(console_visits.begin)(self.relay)
        self.tasks = [asyncio.create_task(self._from_guest(self.way)), asyncio.create_task(self._end_with_the_right())]

    async def _refuse(self, offered: str | None, code: int) -> None:
        """A page learns the code from an open socket alone; a program, which names no origin, is answered 403 if it may not."""
        if code == closing.FULL or any(name == b"origin" for name, _value in self.scope["headers"]):
            await self.accept(offered)
        await self.close(code=code, reason=crowd.TOLD if code == closing.FULL else None)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.way is None:
            return
        try:
            async with asyncio.timeout(STUCK_S):
                await self.way.write(bytes_data if bytes_data is not None else (text_data or "").encode())
        except OSError:
            await self.close(code=closing.ENDED)

    async def disconnect(self, code: int) -> None:
        await self.stop_listening()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        if self.way is not None:
            self.way.close()
        if self.visit is not None:
            await sync_to_async(console_visits.end)(self.visit)

    async def _from_guest(self, way: Way) -> None:
        try:
            while data := await way.read():
                await self.send(bytes_data=data)
        except OSError as error:
            LOG.info("The relay of instance %s ended: %s", self.relay.server_id, error)
        await self.close(code=closing.ENDED)

    async def _end_with_the_right(self) -> None:
        await closing.while_allowed(self._still)
        await self.close(code=closing.ENDED)

    async def _still(self) -> bool:
        if self.visit is not None:
            await sync_to_async(console_visits.renew)(self.visit)
        if self.ctx is None:
            return bool(await database_sync_to_async(consoles.holder_may_go_on)(self.relay))
        if not await closing.same_caller(self.scope, self.ctx):
            return False
        return bool(await database_sync_to_async(consoles.may_stay_open)(self.relay.server_id, self.ctx))


class Serial(Display):
    """The same for the first serial port: what is typed goes in, what the guest prints comes out."""

    kind = consoles.SERIAL
