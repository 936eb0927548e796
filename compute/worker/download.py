"""Brings an image's bytes to a file: counted, hashed, and tried again when the connection fails."""

import hashlib
import http.client
import logging
import time
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    UnknownHandler,
)

from compute.states import TaskState
from compute.virt.driver import BuildProgress, ImageRef, Tell
from compute.virt.errors import ImageUnavailable

LOG = logging.getLogger(__name__)

_BLOCK = 64 * 1024
_ZEROS = bytes(_BLOCK)
_TIMEOUT_S = 30.0
_TRIES = 3
_BETWEEN_TRIES_S = 1.0
_HASHES = ("sha256", "sha512", "sha384", "sha1", "md5")


class _Interrupted(Exception):
    """The bytes ended too early; they may come another time."""


def download(image: ImageRef, path: Path, tell: Tell) -> None:
    """Write the image to ``path``; raises ImageUnavailable unless every byte is there and the checksum is right."""
    if image.hash_algo not in _HASHES or not image.hash_value:
        raise ImageUnavailable(f"Image {image.id} has no checksum that this host can verify.")
    for left in reversed(range(_TRIES)):
        try:
            return _try(image, path, tell)
        except (URLError, _Interrupted, http.client.HTTPException, ConnectionError, TimeoutError) as error:
            final = isinstance(error, HTTPError) and error.code < 500
            if final or not left:
                raise ImageUnavailable(f"Image {image.id} could not be fetched: {_reason(error)}.") from error
            LOG.warning("Image %s is fetched again: %s", image.id, _reason(error))
            _wait(image, tell)
    return None


def _try(image: ImageRef, path: Path, tell: Tell) -> None:
    digest = hashlib.new(image.hash_algo, usedforsecurity=False)
    done = 0
    with opener().open(image.url, timeout=_TIMEOUT_S) as source, path.open("wb") as target:
        while block := source.read(_BLOCK):
            done += len(block)
            if done > image.size:
                raise ImageUnavailable(f"Image {image.id} is larger than the {image.size} bytes it should have.")
            digest.update(block)
            if block == _ZEROS:
                target.seek(_BLOCK, 1)  # a hole instead of zeros
            else:
                target.write(block)
            tell(BuildProgress(TaskState.BLOCK_DEVICE_MAPPING, "fetching the image", done, image.size))
        target.truncate(done)
    if done != image.size:
        raise _Interrupted(f"{done} of {image.size} bytes came")
    if digest.hexdigest() != image.hash_value.lower():
        raise ImageUnavailable(f"Image {image.id} does not match its checksum.")


def opener() -> OpenerDirector:
    """HTTP and nothing else: no files, no redirects, no proxy in between."""
    opener = OpenerDirector()
    for handler in (HTTPHandler(), HTTPSHandler(), HTTPErrorProcessor(), HTTPDefaultErrorHandler(), UnknownHandler()):
        opener.add_handler(handler)
    return opener


def _wait(image: ImageRef, tell: Tell) -> None:
    end = time.monotonic() + _BETWEEN_TRIES_S
    while time.monotonic() < end:
        tell(BuildProgress(TaskState.BLOCK_DEVICE_MAPPING, "fetching the image", 0, image.size))
        time.sleep(0.1)


def _reason(error: Exception) -> str:
    if isinstance(error, HTTPError):
        return f"the image service answered {error.code}"
    reason = getattr(error, "reason", None) or error
    return str(getattr(reason, "strerror", None) or reason or type(error).__name__)
