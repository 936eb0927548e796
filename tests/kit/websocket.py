"""A browser's end of a websocket, for tests of consumers."""

import json
from typing import Any
from urllib.parse import unquote

from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter

from compute.ws.urls import websocket_urlpatterns
from portal.core.context import RequestContext
from tests.kit.secrecy import remember_in


class Page(ApplicationCommunicator):
    """One open websocket. ``ctx`` is who opened it, ``cookie`` the session that he did it with."""

    def __init__(
        self,
        address: str,
        ctx: RequestContext | None = None,
        subprotocols: list[str] | None = None,
        cookie: str | None = None,
        origin: str = "http://testserver",
    ) -> None:
        remember_in(address)
        path, _mark, query = address.partition("?")
        scope = {
            "type": "websocket",
            "path": unquote(path),
            "query_string": query.encode(),
            "headers": [(b"origin", origin.encode())] if origin else [],
            "subprotocols": subprotocols or [],
            "cloud_context": ctx,
            "session_cookie": cookie,
        }
        super().__init__(URLRouter(websocket_urlpatterns), scope)

    async def connect(self) -> str | None:
        """Open the socket and return the subprotocol that was agreed on."""
        await self.send_input({"type": "websocket.connect"})
        answer = await self.receive_output(timeout=3)
        assert answer["type"] == "websocket.accept", answer
        return answer.get("subprotocol")

    async def closed(self, timeout: float = 3) -> int:
        """Return the code with which the other side closes."""
        answer = await self.receive_output(timeout=timeout)
        assert answer["type"] == "websocket.close", answer
        return int(answer["code"])

    async def send_bytes(self, data: bytes) -> None:
        await self.send_input({"type": "websocket.receive", "bytes": data})

    async def receive(self, timeout: float = 3) -> Any:
        """Return the next frame: text or bytes."""
        answer = await self.receive_output(timeout=timeout)
        assert answer["type"] == "websocket.send", answer
        return answer["text"] if answer.get("text") is not None else answer["bytes"]

    async def receive_json(self) -> Any:
        return json.loads(await self.receive())

    async def disconnect(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(3)
