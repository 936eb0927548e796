"""PUT of one piece of an image's bytes, the question how far they are, and DELETE of what has arrived.

A piece carries ``Content-Range: bytes FIRST-LAST/SIZE``. While more is wanted the answer is 308 and its ``Range`` names the bytes that are
safe; after the last piece it is 204. An empty body with ``Content-Range: bytes */SIZE`` asks for the same answer without sending anything.
Of a piece that is cut, what has arrived stays, short of the last block. RFC 9110, section 14.5, leaves such a PUT to the agreement of both sides; this one is in wide
use for resumable uploads.
"""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from images.api.v2 import upload as uploading
from images.api.v2.call import Call
from images.api.v2.upload import ClientGone
from images.api.v2.work import Job, in_database, in_lanes, on_bytes
from images.services import data, locations, pieces
from images.services.ingest import Ingest
from images.services.pieces import OutOfStep
from images.stores.base import Part, StoreError
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, CloudError, Gone

_CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18})")


@dataclass(frozen=True)
class Piece:
    """The bytes from ``start`` to before ``end`` of a whole of ``total``; without an end only the question how far it is."""

    start: int
    end: int | None
    total: int

    @property
    def length(self) -> int:
        return (self.end or 0) - self.start

    @property
    def last(self) -> bool:
        return self.end == self.total


async def upload(call: Call) -> None:
    """Take an image's bytes, whole, or a piece of them."""
    piece = _piece(call)
    if piece is None:
        await uploading.upload(call)
        return
    ctx = await uploading.writer_context(call)
    try:
        if piece.end is None:
            await _tell(
                call, await in_database(pieces.progress, ctx=ctx, image_id=call.image_id, total=piece.total), piece.total
            )
        else:
            await uploading.admitted(call, ctx, lambda call, ctx: _OnePiece(call, piece).take(ctx))
    except OutOfStep as error:
        await call.refuse(error, _range(error.offset))


async def cancel(call: Call) -> None:
    """Throw away what has arrived of an upload in pieces: 204, and the image is queued."""
    ctx = await uploading.writer_context(call)
    await in_database(pieces.cancel, ctx=ctx, image_id=call.image_id)
    await call.start(204)
    await call.body()


class _OnePiece:
    """What a piece has begun so far, kept where a cancellation cannot lose it."""

    def __init__(self, call: Call, piece: Piece) -> None:
        self._call = call
        self._piece = piece
        self._job: data.Upload | None = None
        self._part: Part | None = None
        self._mine = self._judging = self._committing = False

    async def take(self, ctx: RequestContext) -> None:
        try:
            offset = await self._received(ctx)
        except BaseException as error:
            await asyncio.shield(self._leave(error))
            if isinstance(error, ClientGone):
                self._call.status = 499
                return
            if isinstance(error, StoreError):
                raise locations.as_cloud_error(error) from error
            if isinstance(error, Gone) and not self._mine and self._job is not None:
                await in_database(pieces.refuse_finished, self._job)
            raise
        await _tell(self._call, offset, self._piece.total)

    async def _received(self, ctx: RequestContext) -> int:
        call, piece = self._call, self._piece
        await in_database(self._begin, ctx)
        assert self._job is not None
        await on_bytes(self._open)
        assert self._part is not None
        await in_database(pieces.take_turn, self._job, piece.start)
        self._mine = True
        arrival = await on_bytes(pieces.arrival, self._part, piece.start, piece.length)
        await uploading.take(call, arrival, self._job)
        if arrival.size != piece.length:
            raise BadRequest(f"{arrival.size} bytes arrived of the {piece.length} that were announced.")
        if not piece.last:
            return await self._pause()
        self._judging = True
        ingest = await in_database(pieces.whole, self._job, self._part)
        await in_lanes(_reread(ingest, self._part, self._job))
        self._committing = True
        await in_database(data.finish_upload, self._job, await on_bytes(ingest.conclude))
        return piece.total

    def _begin(self, ctx: RequestContext) -> None:
        piece, store = self._piece, self._call.headers.get("x-image-meta-store")
        self._job = pieces.begin(ctx=ctx, image_id=self._call.image_id, start=piece.start, total=piece.total, store=store)

    def _open(self) -> None:
        assert self._job is not None
        self._part = pieces.open_part(self._job, self._piece.start)

    async def _pause(self) -> int:
        """Make what has arrived safe, note it, and let go of the part."""
        assert self._job is not None
        assert self._part is not None
        part, self._part = self._part, None
        # the last byte is always sent again: only a piece makes the image active
        offset = min(await on_bytes(part.pause), self._piece.total - 1)
        await in_database(pieces.acknowledge, self._job, self._piece.start, offset)
        return offset

    async def _leave(self, error: BaseException) -> None:
        """Keep what has arrived where the upload can go on; throw it away where it cannot."""
        if self._job is None:
            return
        if self._is_final(error):
            if self._part is not None:
                await on_bytes(self._part.abort)
            reason = error.message if isinstance(error, CloudError) else f"{type(error).__name__}: {error}"
            await in_database(data.abort_upload, self._job, reason)
        elif self._mine and self._part is not None:
            with suppress(CloudError):  # the image went away; so does the part
                await self._pause()
        elif self._part is not None:
            await on_bytes(self._part.pause)

    def _is_final(self, error: BaseException) -> bool:
        refused = self._judging and isinstance(error, CloudError)
        return self._committing or refused or isinstance(error, StoreError | Gone)


async def _reread(ingest: Ingest, part: Part, job: data.Upload) -> AsyncGenerator[Sequence[Job], None]:
    """Yield what is to be done to judge all bytes of an upload, batch by batch."""
    alive = time.monotonic()
    while batch := await on_bytes(part.read, ingest.size, uploading.BATCH_BYTES):
        ingest.count(len(batch))
        yield ingest.jobs(batch)
        if time.monotonic() - alive > uploading.ALIVE_EVERY_S:
            alive = time.monotonic()
            await in_database(data.keep_alive, job)


async def _tell(call: Call, offset: int, total: int) -> None:
    """Answer how far the upload is."""
    if offset == total:
        await call.start(204)
    else:
        await call.start(308, _range(offset) | {"Content-Length": "0"})
    await call.body()


def _range(offset: int) -> dict[str, str]:
    return {"Range": f"bytes=0-{offset - 1}"} if offset else {}


def _piece(call: Call) -> Piece | None:
    """Return which bytes of what the call brings, None when it brings the whole; raises BadRequest."""
    text = call.headers.get("content-range")
    if text is None:
        return None
    if call.part != "file":
        raise BadRequest("Data is staged whole, not in pieces.")
    match = _CONTENT_RANGE.fullmatch(text.strip())
    if match is None:
        raise BadRequest("The header Content-Range must read 'bytes FIRST-LAST/SIZE', or 'bytes */SIZE' to ask how far it is.")
    first, last, total = match.groups()
    piece = Piece(int(first or 0), None if last is None else int(last) + 1, int(total))
    if not piece.total or (piece.end is not None and not piece.start < piece.end <= piece.total):
        raise BadRequest("The range of the header Content-Range is not within its size.")
    if uploading.announced(call) not in (None, piece.length if piece.end is not None else 0):
        raise BadRequest("The length of the body is not that of the range in the header Content-Range.")
    return piece
