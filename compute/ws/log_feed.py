"""One server's console log on its way to all pages that show it: one reader of its stream, one lease, however many look."""

import asyncio
import codecs
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

import redis.asyncio
from django.conf import settings

from compute.services import consoles

LOG = logging.getLogger(__name__)

RENEW_S = 5.0
BLOCK_MS = 500
AT_ONCE = 64
WAITING_MOST = 32
REST_PER_READER_S, LONGEST_REST_S = 0.002, 0.4

Entries = list[tuple[bytes, dict[bytes, bytes]]]


class Position:
    """How far somebody has read, and the text of what comes next; a part that was told twice counts once."""

    def __init__(self, offset: int = 0) -> None:
        self._offset = offset
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def text_of(self, entries: Entries) -> str:
        """Return what is new in the entries."""
        return "".join(self._text_of(fields) for _id, fields in entries)

    def _text_of(self, fields: dict[bytes, bytes]) -> str:
        begin, data = int(fields.get(b"o", 0)), fields.get(b"d", b"")
        if fields.get(b"e") == b"restarted":
            self._offset = begin
        fresh = data[max(0, self._offset - begin) :]
        if fresh:
            self._offset = begin + len(data)
        return self._decoder.decode(fresh)


class Reader:
    """Somebody who reads, from a byte of the log on. A slow one loses the oldest parts.

    Each has a position of his own: a host that begins to follow a log anew tells all of it again, to some for the first time.
    """

    def __init__(self, offset: int = 0) -> None:
        self._position = Position(offset)
        self._missed: Entries = []
        self._waiting: asyncio.Queue[Entries] = asyncio.Queue(WAITING_MOST)

    def forget(self) -> None:
        """Let what waits be as if it had not been told."""
        self._waiting = asyncio.Queue(WAITING_MOST)

    def begin(self, missed: Entries) -> None:
        """Read first what was there before he came."""
        self._missed = missed

    def tell(self, entries: Entries) -> None:
        """Let more wait."""
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(entries)

    async def read(self) -> str:
        """Wait for text that is new to him, and return it."""
        while True:
            entries = self._missed or await self._waiting.get()
            self._missed = []
            if text := self._position.text_of(entries):
                return text


class LogFeed:
    """Reads one stream while it has readers."""

    _feeds: "dict[tuple[int, str], LogFeed]" = {}

    def __init__(self, server_id: str, host: str | None) -> None:
        self.host = host
        self._server_id = server_id
        self._stream = consoles.stream_key(server_id)
        self._last = b"0-0"
        self._readers: set[Reader] = set()
        self._checks: dict[object, tuple[float, asyncio.Task[int | None]]] = {}
        self._client = redis.asyncio.Redis.from_url(settings.REDIS_URL)
        self._over = asyncio.Event()
        self._begun = asyncio.create_task(self._begin())
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    def of(cls, server_id: str, host: str | None) -> "LogFeed":
        """Return the feed of a server, begun if need be."""
        key = (id(asyncio.get_running_loop()), server_id)
        feed = cls._feeds.get(key)
        if feed is None or feed._over.is_set():
            feed = cls._feeds[key] = cls(server_id, host)
        feed.host = host
        return feed

    async def join(self, offset: int) -> Reader:
        """Return a reader who begins at a byte of the log; raises redis.RedisError."""
        reader = Reader(offset)
        self._readers.add(reader)
        try:
            await asyncio.shield(self._begun)
            reader.forget()  # from here on nothing passes him by, and what came before is read now
            missed: Any = await self._client.xrange(self._stream, max=self._last)
        except redis.RedisError:
            await self.leave(reader)
            raise
        reader.begin(missed)
        return reader

    async def leave(self, reader: Reader) -> None:
        """Read for him no more; the last one ends the feed."""
        self._readers.discard(reader)
        if not self._readers and not self._over.is_set():
            self._over.set()  # not cancelled: the Redis client swallows that now and then
            self._feeds.pop((id(asyncio.get_running_loop()), self._server_id), None)
            await asyncio.wait([self._begun, *self._tasks], timeout=2 * BLOCK_MS / 1000)
            await self._client.aclose()  # type: ignore[attr-defined]

    async def checked(self, who: object, check: Callable[[], Coroutine[Any, Any, int | None]], fresh_s: float) -> int | None:
        """Return what ``check`` says, or what it said of the same caller lately: many tabs of one session cost one check."""
        at, task = self._checks.get(who, (0.0, None))
        now = time.monotonic()
        if task is None or now - at >= fresh_s:
            self._checks = {key: known for key, known in self._checks.items() if now - known[0] < fresh_s}
            task = asyncio.create_task(check())
            self._checks[who] = now, task
        return await asyncio.shield(task)

    async def _begin(self) -> None:
        """Go to the end of what is there; each reader takes that for himself."""
        newest: Any = await self._client.xrevrange(self._stream, count=1)
        self._last = newest[0][0] if newest else self._last
        self._tasks = [asyncio.create_task(self._guarded(part)) for part in (self._hold_lease, self._follow)]

    async def _guarded(self, part: Any) -> None:
        while not self._over.is_set():
            try:
                await part()
            except redis.RedisError as error:
                LOG.warning("The console log of %s cannot be read: %s", self._server_id, error)
                await self._rest(1.0)

    async def _hold_lease(self) -> None:
        """Keep the host telling the log."""
        while not self._over.is_set():
            if self.host is not None:
                await self._client.set(consoles.lease_key(self._server_id), b"1", ex=consoles.LEASE_S)
                await self._client.publish(f"nebulet:console:{self.host}", self._server_id)
            await self._rest(RENEW_S)

    async def _follow(self) -> None:
        """Tell all readers each new part. The more they are, the more is told at once."""
        while not self._over.is_set():
            found: Any = await self._client.xread({self._stream: self._last}, count=AT_ONCE, block=BLOCK_MS)
            if not found:
                continue
            entries: Entries = found[0][1]
            self._last = entries[-1][0]
            for reader in self._readers:
                reader.tell(entries)
            await self._rest(min(LONGEST_REST_S, REST_PER_READER_S * len(self._readers)))

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)
