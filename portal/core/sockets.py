"""One access line for each websocket, written when it closes."""

from typing import Any

from portal.core import log
from portal.core.context import new_request_id

REFUSED = 403


class SocketLog:
    """Give each websocket a request id, and log its path, who had it open, the code it closed with and how long it lasted.

    The scope is handed on as a copy, in which parts further in leave ``cloud_context``.
    """

    def __init__(self, inner: Any, service: str) -> None:
        self.inner = inner
        self.service = service

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        inner_scope, ending = dict(scope), _Ending()
        client = scope.get("client") or ["-"]
        call = log.Call("WEBSOCKET", scope["path"], client[0], self.service)

        async def receiving() -> Any:
            return ending.seen(await receive())

        async def sending(message: Any) -> None:
            await send(ending.seen(message))

        with log.bound(request_id=new_request_id(), service=self.service):
            try:
                await self.inner(inner_scope, receiving, sending)
            finally:
                call.caller = inner_scope.get("cloud_context")
                log.answered(call, ending.code)


class _Ending:
    """The first close that either side told; a socket that was never accepted was refused."""

    accepted = False
    code: int | None = None

    def seen(self, message: Any) -> Any:
        if message["type"] == "websocket.accept":
            self.accepted = True
        elif message["type"] == "websocket.close" and not self.accepted:
            self.code = self.code or REFUSED
        elif message["type"] in ("websocket.close", "websocket.disconnect"):
            self.code = self.code or message.get("code") or 1000
        return message
