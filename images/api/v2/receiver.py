"""Image bytes in and out, and into the staging area, as raw ASGI: nothing holds or spools a whole body.

Who asks is settled before the first byte is taken: by token, or by a signed ticket in the address. Bytes are gathered into batches, which
worker threads write and hash while more arrive; a few of them are in memory, and no more are taken until one is done.
The address's query is taken out of the scope at once, so that no log can show a ticket.

Follows the Image API reference, "Image data" and "Stage binary image data".
"""

import logging
import re
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import parse_qs

from images.api.v2 import download, pieces
from images.api.v2.call import Call, Receive, Send
from portal.core import log
from portal.core.errors import CloudError

LOG = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]

_PATH = re.compile(r"/image/v2/images/([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})/(file|stage)")
_WAYS = {
    ("PUT", "file"): pieces.upload,
    ("PUT", "stage"): pieces.upload,
    ("DELETE", "file"): pieces.cancel,
    ("GET", "file"): download.download,
    ("HEAD", "file"): download.download,
}


def is_image_data(scope: Scope) -> bool:
    """Return whether a request moves image bytes and so is not for Django."""
    match = _PATH.fullmatch(scope["path"])
    return match is not None and (scope["method"], match[2]) in _WAYS


async def receive(scope: Scope, receive_: Receive, send: Send) -> None:
    """Answer one request for image bytes."""
    call = _call(scope, receive_, send)
    entry = log.Call(call.method, call.path, call.remote_address)
    with log.bound(request_id=call.request_id, service=entry.service):
        try:
            await _WAYS[call.method, call.part](call)
        except CloudError as error:
            await _answer(call, error)
        except Exception:
            LOG.exception("Unexpected error in %s of image %s", call.method, call.image_id)
            await _answer(call, CloudError("An unexpected error prevented the server from fulfilling your request."))
        finally:
            entry.caller = call.ctx
            log.answered(entry, call.status)


async def _answer(call: Call, error: CloudError) -> None:
    if call.status is None:
        await call.refuse(error)
    else:
        raise error  # the answer has begun: only cutting the connection tells the client


def _call(scope: Scope, receive_: Receive, send: Send) -> Call:
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    scope["query_string"] = b""
    match = _PATH.fullmatch(scope["path"])
    assert match is not None
    return Call(
        image_id=match[1],
        part=match[2],
        method=scope["method"],
        path=scope["path"],
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        ticket=query.get("ticket", [None])[0],
        remote_address=(scope.get("client") or ["-"])[0],
        receive=receive_,
        send_raw=send,
    )
