"""One request for image bytes: what was asked, and the ways to answer."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from accounts.services import tokens
from images.api.v2.work import in_database
from portal.core.api import codec, faults
from portal.core.context import REQUEST_ID, RequestContext, new_request_id
from portal.core.errors import CloudError, Unauthorized

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass
class Call:
    """One request for image bytes."""

    image_id: str
    part: str
    method: str
    path: str
    headers: dict[str, str]
    ticket: str | None
    remote_address: str
    receive: Receive
    send_raw: Send
    request_id: str = field(default_factory=new_request_id)
    status: int | None = None
    ctx: RequestContext | None = None
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

    async def refuse(self, error: CloudError, more: dict[str, str] | None = None) -> None:
        """Answer with the image service's fault, and ``more`` headers."""
        data = codec.JSONRenderer().render(faults.render("image", error))
        headers = {"Content-Type": "application/json", "Content-Length": str(len(data)), **(more or {})}
        if error.status == 401:
            headers |= {"WWW-Authenticate": 'Keystone uri="/identity/v3"', "Connection": "close"}
        await self.start(error.status, headers)
        await self.body(data)

    async def token_context(self) -> RequestContext:
        """Return whose token the request carries; raises Unauthorized."""
        token = self.headers.get("x-auth-token")
        if not token:
            raise Unauthorized()
        self.ctx = await in_database(tokens.context_for_token, token, (self.method, self.path), request_id=self.request_id)
        return self.ctx
