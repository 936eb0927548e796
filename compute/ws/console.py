"""The boot log as it grows."""

import asyncio

import redis
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from compute.services import consoles
from compute.ws import closing, crowd
from compute.ws.log_feed import LogFeed, Reader
from portal.core.context import RequestContext
from portal.core.errors import CloudError, Forbidden

RECHECK_S = 20.0
FRAME_MAX = 64 * 1024


class ConsoleLog(crowd.TakesPlace, closing.EndsWithSession, AsyncWebsocketConsumer):
    """Send a server's console log from the beginning, or from byte ``?from=``, and go on as it grows.

    The log lies on a bounded stream that its host fills while somebody reads; a slow reader misses a part and holds up nobody.
    """

    feed: LogFeed | None = None
    reader: Reader | None = None
    tasks: "list[asyncio.Task[None]]"

    async def connect(self) -> None:
        self.tasks = []
        ctx: RequestContext | None = self.scope.get("cloud_context")
        self.server_id = self.scope["url_route"]["kwargs"]["server_id"]
        await self.accept()
        if ctx is None:
            await self.close(code=closing.SIGN_IN)
            return
        try:
            server = await database_sync_to_async(consoles.readable_log)(ctx, self.server_id)
            self.place = crowd.CONSOLES.enter(ctx.user_id or "", server.pk)
            if self.place is None:
                await self.close(code=closing.FULL, reason=crowd.TOLD)
                return
            self.feed = LogFeed.of(server.pk, server.host)
            self.reader = await self.feed.join(_wanted_offset(self.scope["query_string"]))
        except CloudError as error:
            await self.close(code=closing.REFUSED if isinstance(error, Forbidden) else closing.GONE)
            return
        except redis.RedisError:
            await self.close(code=closing.UNAVAILABLE)
            return
        self.ctx = ctx
        await self.listen_for_the_end()
        self.tasks = [
            asyncio.create_task(self._send_all(self.reader)),
            asyncio.create_task(self._end_with_the_right(self.feed)),
        ]

    async def disconnect(self, code: int) -> None:
        await self.stop_listening()
        for task in self.tasks:
            task.cancel()
        if self.feed is not None and self.reader is not None:
            await self.feed.leave(self.reader)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Readers have nothing to say here."""

    async def _send_all(self, reader: Reader) -> None:
        while True:
            text = await reader.read()
            for start in range(0, len(text), FRAME_MAX):
                await self.send(text_data=text[start : start + FRAME_MAX])

    async def _end_with_the_right(self, feed: LogFeed) -> None:
        who = self.scope.get("session_cookie"), self.ctx and (self.ctx.user_id, self.ctx.project_id, self.ctx.roles)
        code = None
        while code is None:
            await asyncio.sleep(RECHECK_S)
            code = await feed.checked(who, self._why_not, RECHECK_S / 2)
        await self.close(code=code)

    async def _why_not(self) -> int | None:
        """Return the code to close with, None while the caller may read on."""
        if not await closing.same_caller(self.scope, self.ctx):
            return closing.SIGN_IN
        try:
            server = await database_sync_to_async(consoles.readable_log)(self.ctx, self.server_id)
        except CloudError:
            return closing.ENDED
        if self.feed is not None:
            self.feed.host = server.host
        return None


def _wanted_offset(query: bytes) -> int:
    for part in query.split(b"&"):
        name, _equals, value = part.partition(b"=")
        if name == b"from" and value.isdigit() and len(value) < 16:
            return int(value)
    return 0
