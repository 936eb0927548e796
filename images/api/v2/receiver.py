"""Image bytes in and out as raw ASGI: nothing holds or spools a whole body.

Who asks is settled before the first byte is taken: by token, or by a signed ticket in the address. Bytes are gathered into batches;
while a batch is written and hashed by worker threads the next one arrives, and not more than these two are ever in memory.
The address's query is taken out of the scope at once, so that no log can show a ticket.

Follows the Image API reference, "Image data".
"""

import logging
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from images.api.v2 import download, upload
from portal.core import log
from portal.core.api import codec, faults
from portal.core.context import REQUEST_ID, new_request_id
from portal.core.errors import CloudError

LOG = logging.getLogger(__name__)
ACCESS = logging.getLogger("nebulet.access")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_PATH = re.compile(r"/image/v2/images/([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})/file")
_METHODS = {"PUT": upload.upload, "GET": download.download, "HEAD": download.download}


@dataclass
class Call:
    """One request for image bytes."""

    image_id: str
    method: str
    path: str
    headers: dict[str, str]
    ticket: str | None
    remote_address: str
    receive: Receive
    send_raw: Send
    request_id: str = field(default_factory=new_request_id)
    status: int | None = None
    ended: bool = False

    @property
    def global_request_id(self) -> str | None:
        theirs = self.headers.get("x-openstack-request-id", "")
        return theirs if REQUEST_ID.match(theirs) else None

    async def start(self, status: int, headers: dict[str, str] | None = None) -> None:
        """Send the answer's status and headers."""
        self.status = status
        pairs = {"x-openstack-request-id": self.request_id, **(headers or {})}
        encoded = [(name.lower().encode(), value.encode()) for name, value in pairs.items()]
        await self.send_raw({"type": "http.response.start", "status": status, "headers": encoded})

    async def body(self, data: bytes = b"", more: bool = False) -> None:
        """Send a piece of the answer's body."""
        await self.send_raw({"type": "http.response.body", "body": data, "more_body": more})

    async def refuse(self, error: CloudError) -> None:
        """Answer with the image service's fault."""
        data = codec.JSONRenderer().render(faults.render("image", error))
        headers = {"Content-Type": "application/json", "Content-Length": str(len(data))}
        if error.status == 401:
            headers |= {"WWW-Authenticate": 'Keystone uri="/identity/v3"', "Connection": "close"}
        await self.start(error.status, headers)
        await self.body(data)


def is_image_data(scope: Scope) -> bool:
    """Return whether a request moves image bytes and so is not for Django."""
    return scope["method"] in _METHODS and _PATH.fullmatch(scope["path"]) is not None


async def receive(scope: Scope, receive_: Receive, send: Send) -> None:
    """Answer one request for image bytes."""
    call = _call(scope, receive_, send)
    started = time.perf_counter()
    with log.bound(request_id=call.request_id):
        try:
            await _METHODS[call.method](call)
        except CloudError as error:
            await _answer(call, error)
        except Exception:
            LOG.exception("Unexpected error in %s of image %s", call.method, call.image_id)
            await _answer(call, CloudError("An unexpected error prevented the server from fulfilling your request."))
        took_ms = (time.perf_counter() - started) * 1000
        ACCESS.info("%s %s %s %s %.1f ms", call.remote_address, call.method, call.path, call.status, took_ms)


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
        method=scope["method"],
        path=scope["path"],
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        ticket=query.get("ticket", [None])[0],
        remote_address=(scope.get("client") or ["-"])[0],
        receive=receive_,
        send_raw=send,
    )
