"""Sends a file's bytes to an image, and goes on where it was interrupted.

The image service says how many bytes are safe (``Range`` of a 308); each piece follows them. The last byte makes the image active.
"""

import http.client
import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from compute.states import TaskState
from compute.virt.driver import BuildProgress, Tell
from compute.virt.errors import DriverError

LOG = logging.getLogger(__name__)

PIECE_BYTES = 64 << 20
_BLOCK = 256 * 1024
_TIMEOUT_S = 120.0
_TRIES = 8
_LONGEST_WAIT_S = 15.0
_MOVED_ON, _GO_ON = 416, 308
_SAFE = re.compile(r"bytes=0-(\d{1,18})")
_PASSING = (OSError, http.client.HTTPException)


class UploadRefused(DriverError):
    """The image service does not take the bytes."""


class _Passing(Exception):
    """The image service cannot take the bytes now."""


class Upload:
    """One file on its way to one address. ``tell`` is called often and may raise: that ends the upload."""

    def __init__(self, path: Path, address: str, tell: Tell) -> None:
        self._path = path
        self._place = urlsplit(address)
        self._tell = tell
        self._size = path.stat().st_size

    def send(self, *, in_pieces: bool) -> None:
        """Return when the image is whole; raises UploadRefused."""
        failures = 0
        offset = self._begun(in_pieces)
        while offset < self._size:
            self._say(offset)
            end = min(offset + PIECE_BYTES, self._size) if in_pieces else self._size
            try:
                offset, failures = self._piece(offset, end, in_pieces=in_pieces), 0
            except (*_PASSING, _Passing) as error:
                failures += 1
                if failures >= _TRIES:
                    raise UploadRefused(f"The image could not be sent: {_reason(error)}.") from error
                LOG.warning("The image is sent again from byte %d: %s", offset, _reason(error))
                self._wait(failures, offset)
                offset = self._begun(in_pieces)
        self._say(self._size)

    def _begun(self, in_pieces: bool) -> int:
        """Return where sending goes on: what is not sent in pieces has arrived whole or begins anew."""
        safe = self._safe()
        return safe if in_pieces or safe == self._size else 0

    def _safe(self) -> int:
        """Return how many bytes have arrived, as far as that can be told now."""
        for failures in range(1, _TRIES + 1):
            try:
                return self._ask(f"bytes */{self._size}")
            except (*_PASSING, _Passing) as error:
                LOG.warning("The image service does not say how far the image is: %s", _reason(error))
                self._wait(failures, 0)
        raise UploadRefused("The image could not be sent: the image service does not answer.")

    def _piece(self, start: int, end: int, *, in_pieces: bool) -> int:
        with self._path.open("rb") as source:
            source.seek(start)
            blocks = self._blocks(source, start, end)
            return self._ask(f"bytes {start}-{end - 1}/{self._size}" if in_pieces else None, blocks, end - start)

    def _blocks(self, source: BinaryIO, start: int, end: int) -> Iterator[bytes]:
        at = start
        while at < end:
            block = source.read(min(_BLOCK, end - at))
            if not block:
                raise UploadRefused("The copy of the disk became shorter while it was sent.")
            yield block
            at += len(block)
            self._say(at)

    def _ask(self, content_range: str | None, blocks: Iterator[bytes] | None = None, length: int = 0) -> int:
        """Send one request; return how many bytes are safe after it."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(length)}
        if content_range is not None:
            headers["Content-Range"] = content_range
        kind = http.client.HTTPSConnection if self._place.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._place.hostname or "", self._place.port, timeout=_TIMEOUT_S)
        try:
            target = f"{self._place.path}?{self._place.query}"
            connection.request("PUT", target, body=blocks or b"", headers=headers)
            answer = connection.getresponse()
            answer.read()
        finally:
            connection.close()
        return self._offset(answer)

    def _offset(self, answer: http.client.HTTPResponse) -> int:
        if answer.status == http.client.NO_CONTENT:
            return self._size
        if answer.status in (_GO_ON, _MOVED_ON):
            safe = _SAFE.fullmatch(answer.getheader("Range") or "")
            return int(safe.group(1)) + 1 if safe else 0
        if answer.status >= 500 or answer.status == http.client.REQUEST_TIMEOUT:
            raise _Passing(f"the image service answered {answer.status}")
        if answer.status in (http.client.NOT_FOUND, http.client.GONE):
            raise UploadRefused("The image was deleted before it was whole.")
        raise UploadRefused(f"The image service refused the image: it answered {answer.status}.")

    def _wait(self, failures: int, offset: int) -> None:
        end = time.monotonic() + min(0.25 * 2**failures, _LONGEST_WAIT_S)
        while time.monotonic() < end:
            self._say(offset)
            time.sleep(0.1)

    def _say(self, done: int) -> None:
        self._tell(BuildProgress(TaskState.IMAGE_UPLOADING, "sending the image", done, self._size))


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
