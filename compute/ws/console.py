"""The boot log as it grows."""

import asyncio
import codecs
import contextlib
import logging
from typing import Any

import redis.asyncio
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from compute.services import consoles
from compute.ws import closing
from portal.core.context import RequestContext
from portal.core.errors import CloudError, Forbidden

LOG = logging.getLogger(__name__)

RENEW_S = 5.0
BLOCK_MS = 500
AT_ONCE = 64
FRAME_MAX = 64 * 1024


class ConsoleLog(closing.EndsWithSession, AsyncWebsocketConsumer):
    """Send a server's console log from the beginning, or from byte ``?from=``, and go on as it grows.

    The log lies on a bounded stream that its host fills while the lease lives; a slow reader misses what fell off the stream,
    and holds up nobody.
    """

    tasks: "list[asyncio.Task[None]]"

    async def connect(self) -> None:
        self.tasks, self.over = [], asyncio.Event()
        ctx: RequestContext | None = self.scope.get("cloud_context")
        server_id = self.scope["url_route"]["kwargs"]["server_id"]
        await self.accept()
        if ctx is None:
            await self.close(code=closing.SIGN_IN)
            return
        try:
            server = await database_sync_to_async(consoles.readable_log)(ctx, server_id)
        except CloudError as error:
            code = closing.REFUSED if isinstance(error, Forbidden) else closing.GONE
            await self.close(code=code)
            return
        self.ctx, self.server_id, self.host = ctx, server_id, server.host
        await self.listen_for_the_end()
        self.tasks = [asyncio.create_task(self._guarded(part)) for part in (self._hold_lease, self._follow)]

    async def disconnect(self, code: int) -> None:
        await self.stop_listening()
        self.over.set()  # not cancelled: the Redis client swallows that now and then
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=2 * BLOCK_MS / 1000)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Readers have nothing to say here."""

    async def _guarded(self, part: Any) -> None:
        client = redis.asyncio.Redis.from_url(settings.REDIS_URL)
        try:
            await part(client)
        except redis.RedisError as error:
            LOG.warning("The console log of %s cannot be read: %s", self.server_id, error)
            await self.close(code=closing.UNAVAILABLE)
        finally:
            await client.aclose()  # type: ignore[attr-defined]

    async def _hold_lease(self, client: redis.asyncio.Redis) -> None:
        """Keep the host telling the log while the reader may read it."""
        while await closing.same_caller(self.scope, self.ctx):
            try:
                server = await database_sync_to_async(consoles.readable_log)(self.ctx, self.server_id)
            except CloudError:
                await self.close(code=closing.ENDED)
                return
            if server.host is not None:
                await client.set(consoles.lease_key(self.server_id), b"1", ex=consoles.LEASE_S)
                await client.publish(f"nebulet:console:{server.host}", self.server_id)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.over.wait(), RENEW_S)
            if self.over.is_set():
                return
        await self.close(code=closing.SIGN_IN)

    async def _follow(self, client: redis.asyncio.Redis) -> None:
        """Send what lies on the stream, then each new part."""
        stream, last = consoles.stream_key(self.server_id), b"0-0"
        offset = _wanted_offset(self.scope["query_string"])
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while not self.over.is_set():
            found: Any = await client.xread({stream: last}, count=AT_ONCE, block=BLOCK_MS)
            for entry_id, fields in found[0][1] if found else []:
                last = entry_id
                if fields.get(b"e") == b"restarted":
                    offset = int(fields.get(b"o", 0))
                data, begin = fields.get(b"d", b""), int(fields.get(b"o", 0))
                fresh = data[max(0, offset - begin) :]
                if fresh:
                    offset = begin + len(data)
                    await self._send_text(decoder.decode(fresh))

    async def _send_text(self, text: str) -> None:
        for start in range(0, len(text), FRAME_MAX):
            await self.send(text_data=text[start : start + FRAME_MAX])


def _wanted_offset(query: bytes) -> int:
    for part in query.split(b"&"):
        name, _equals, value = part.partition(b"=")
        if name == b"from" and value.isdigit() and len(value) < 16:
            return int(value)
    return 0
