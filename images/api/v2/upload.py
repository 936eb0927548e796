"""PUT of image bytes, into the image or into the staging area.

An upload is bounded in every way: in bytes by quota and store, in time by the least speed, in number by ``MOST_UPLOADS`` for the
process and by quota for a project, in memory by a few batches.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any

from images.api.v2.call import Call
from images.api.v2.work import Job, in_database, in_lanes, on_bytes
from images.services import data, locations, staging, transfer
from images.services.ingest import Arrival
from images.stores.base import StoreError
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, CloudError, Unavailable, UnsupportedMediaType

BATCH_BYTES = 1 << 20
IDLE_S = 60
LEAST_BYTES_PER_S = 1024
GRACE_S = 60
ALIVE_EVERY_S = 30
MOST_UPLOADS = 64

_running = 0


class ClientGone(Exception):
    """The connection ended before the body did."""


async def upload(call: Call) -> None:
    """Take an image's bytes: 204, and the image is active, or staged."""
    await admitted(call, await writer_context(call), _upload)


async def admitted(call: Call, ctx: RequestContext, way: Callable[[Call, RequestContext], Awaitable[None]]) -> None:
    """Take bytes in this way, if they are declared as such and the process has not too much to do."""
    global _running  # noqa: PLW0603  one counter for the process, touched by the event loop's thread only
    if call.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/octet-stream":
        raise UnsupportedMediaType("Image data is sent as application/octet-stream.")
    if _running >= MOST_UPLOADS:
        raise Unavailable("Too many uploads run at this moment. Try again later.")
    _running += 1
    try:
        await way(call, ctx)
    finally:
        _running -= 1


async def writer_context(call: Call) -> RequestContext:
    """Return who sends, by token or ticket; raises Unauthorized before a byte is taken."""
    if call.ticket:
        call.ctx = await in_database(transfer.check_write, call.ticket, call.image_id, call.request_id)
        return call.ctx
    return await call.token_context()


class _Transfer:
    """What an upload has begun so far, kept where a cancellation cannot lose it."""

    def __init__(self, part: str) -> None:
        self.way: Any = {"file": data, "stage": staging}[part]

    job: data.Upload | None = None
    ingest: Arrival | None = None

    def begin(self, ctx: RequestContext, call: Call, length: int | None) -> None:
        store = call.headers.get("x-image-meta-store")
        self.job = self.way.begin_upload(ctx=ctx, image_id=call.image_id, length=length, store=store)

    def open(self, job: data.Upload) -> None:
        self.ingest = self.way.open_ingest(job)

    async def undo(self, error: BaseException) -> None:
        """Throw away what arrived and give the image back."""
        if self.ingest is not None:
            await on_bytes(self.ingest.abort)
        if self.job is not None:
            reason = error.message if isinstance(error, CloudError) else f"{type(error).__name__}: {error}"
            await in_database(data.abort_upload, self.job, reason)


async def _upload(call: Call, ctx: RequestContext) -> None:
    running = _Transfer(call.part)
    try:
        await in_database(running.begin, ctx, call, announced(call))
        assert running.job is not None
        await on_bytes(running.open, running.job)
        assert running.ingest is not None
        await take(call, running.ingest, running.job)
        content = await on_bytes(running.ingest.conclude)
        await in_database(running.way.finish_upload, running.job, content)
    except BaseException as error:
        await asyncio.shield(running.undo(error))
        if isinstance(error, ClientGone):
            call.status = 499
            return
        if isinstance(error, StoreError):
            raise locations.as_cloud_error(error) from error
        raise
    await call.start(204)
    await call.body()


async def take(call: Call, ingest: Arrival, job: data.Upload) -> None:
    """Carry the body into the store, some batches at work while the next arrives."""
    try:
        async with asyncio.timeout(IDLE_S) as idle:
            await in_lanes(_batches(call, ingest, _Pace(job, idle)))
    except TimeoutError:
        raise BadRequest(f"No data arrived for {IDLE_S} seconds.") from None


async def _batches(call: Call, ingest: Arrival, pace: "_Pace") -> AsyncGenerator[Sequence[Job], None]:
    """Yield what is to be done with each batch of the body."""
    batch: list[bytes] = []
    gathered = 0
    while (chunk := await _next(call)) is not None:
        ingest.count(len(chunk))
        await pace.check(ingest.size)
        batch.append(chunk)
        gathered += len(chunk)
        if gathered >= BATCH_BYTES:
            jobs, batch, gathered = ingest.jobs(b"".join(batch)), [], 0
            yield jobs
            del jobs
    yield ingest.jobs(b"".join(batch))


async def _next(call: Call) -> bytes | None:
    """Return the next piece of the body, None at its end; raises ClientGone."""
    if call.ended:
        return None
    message: Any = await call.receive()
    if message["type"] == "http.disconnect":
        raise ClientGone("the client went away")
    call.ended = not message.get("more_body", False)
    body: bytes = message.get("body", b"")
    return body


class _Pace:
    """Keeps an upload's record alive and ends one that stands still or is slower than the least speed."""

    def __init__(self, job: data.Upload, idle: asyncio.Timeout) -> None:
        self._job = job
        self._idle = idle
        self._began = self._told = self._seen = time.monotonic()

    async def check(self, size: int) -> None:
        now = time.monotonic()
        if now - self._seen > 1:
            self._seen = now
            self._idle.reschedule(asyncio.get_running_loop().time() + IDLE_S)
        if now - self._began > GRACE_S and size < (now - self._began - GRACE_S) * LEAST_BYTES_PER_S:
            raise BadRequest(f"The data arrives slower than {LEAST_BYTES_PER_S} bytes a second.")
        if now - self._told > ALIVE_EVERY_S:
            self._told = now
            await in_database(data.keep_alive, self._job)


def announced(call: Call) -> int | None:
    """Return how many bytes the client announced, or None for a chunked body of unknown length."""
    text = call.headers.get("content-length") or call.headers.get("x-openstack-image-size")
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise BadRequest("The announced size is not a number.")
    return int(text)
