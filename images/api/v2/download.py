"""GET of image bytes, whole or one range of them."""

import re

from images import selectors
from images.api.v2.call import Call
from images.api.v2.work import in_database, on_bytes
from images.models import Image
from images.services import data, transfer
from images.states import ImageStatus
from images.stores.base import Reader
from portal.core.errors import CloudError, NotFound

CHUNK_BYTES = 1 << 20
_RANGE = re.compile(r"bytes *= *(\d{0,40}) *- *(\d{0,40})", re.IGNORECASE)
_OLDER_RANGE = re.compile(r"bytes (\d{1,40})-(\d{1,40})/(?:\*|\d{1,40})", re.IGNORECASE)


class RangeNotSatisfiable(CloudError):
    status = 416
    title = "Range Not Satisfiable"


async def download(call: Call) -> None:
    """Send an image's bytes: 200, 206 for a range, 204 while there are none."""
    image, reader = await _open(call)
    if reader is None:
        await call.start(204)
        await call.body()
        return
    try:
        first, end = _range(call, reader.size)
        await call.start(206 if _asked(call) else 200, _headers(call, image, reader.size, first, end))
        if call.method == "HEAD":
            await call.body()
        else:
            await _send(call, reader, first, end)
    finally:
        await on_bytes(reader.close)


async def _open(call: Call) -> tuple[Image, Reader | None]:
    if call.ticket:
        transfer.check_read(call.ticket, call.image_id)
        return await in_database(_open_for_host, call.image_id)
    ctx = await call.token_context()
    return await in_database(data.open_data, ctx=ctx, image_id=call.image_id)


def _open_for_host(image_id: str) -> tuple[Image, Reader | None]:
    image = selectors.present_image(image_id)
    if image is None or image.status != ImageStatus.ACTIVE:
        raise NotFound("Image", image_id, f"No image found with ID {image_id}")
    return image, data.open_reader(image)


async def _send(call: Call, reader: Reader, first: int, end: int) -> None:
    """Send the bytes, reading the next chunk while the last one leaves."""
    if first >= end:
        await call.body()
        return
    offset = first
    chunk = await on_bytes(reader.read, offset, min(CHUNK_BYTES, end - offset))
    while True:
        if not chunk:
            raise CloudError("The image's data ends before its size.")
        offset += len(chunk)
        if offset >= end:
            await call.body(chunk)
            return
        await call.body(chunk, more=True)
        chunk = await on_bytes(reader.read, offset, min(CHUNK_BYTES, end - offset))


def _headers(call: Call, image: Image, size: int, first: int, end: int) -> dict[str, str]:
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Length": str(end - first),
        "Accept-Ranges": "bytes",
    }
    if _asked(call):
        headers["Content-Range"] = f"bytes {first}-{end - 1}/{size}"
    elif image.checksum:
        headers["Content-MD5"] = image.checksum
    return headers


def _asked(call: Call) -> re.Match[str] | None:
    """Return the range that is asked for: by ``Range``, or as older clients of this API do, by ``Content-Range``."""
    if "range" in call.headers:
        return _RANGE.fullmatch(call.headers["range"].strip())
    return _OLDER_RANGE.fullmatch(call.headers.get("content-range", "").strip())


def _range(call: Call, size: int) -> tuple[int, int]:
    """Return the first byte and the end of what to send; several ranges or another unit mean the whole, as HTTP allows."""
    match = _asked(call)
    if match is None:
        return 0, size
    first, last = match.groups()
    if not first and not last:
        raise RangeNotSatisfiable("The requested range is not valid.")
    begin = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if begin >= size or begin >= end:
        raise RangeNotSatisfiable(f"The requested range is not within the image's {size} bytes.")
    return begin, end
