"""Django in a thread pool: the event loop takes the request, a thread answers it."""

from typing import Any

from a2wsgi import WSGIMiddleware
from a2wsgi.wsgi import WSGIResponder


class ThreadPool(WSGIMiddleware):
    """Runs a WSGI application's requests, each in one of ``workers`` threads."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await _Responder(self.app, self.executor, self.send_queue_size)(scope, receive, send)


class _Responder(WSGIResponder):
    """Gives a whole answer back with the thread's end; only what is streamed goes piece by piece.

    a2wsgi changes threads for the head, for each piece and for the end, which costs as much as a small request itself.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._gathered: list[Any] = []
        self._streams = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await super().__call__(scope, receive, send)
        for message in self._gathered:
            await send(message)

    def send(self, message: Any) -> None:
        if self._streams:
            super().send(message)
        else:
            self._gathered.append(message)

    def wsgi(self, environ: Any, start_response: Any) -> None:
        answer = self.app(environ, start_response)
        try:
            if getattr(answer, "streaming", True):
                self._stream(answer)
            else:
                self.send({"type": "http.response.body", "body": b"".join(answer)})
        finally:
            getattr(answer, "close", lambda: None)()

    def _stream(self, answer: Any) -> None:
        head, self._gathered, self._streams = self._gathered, [], True
        for message in head:
            self.send(message)
        for piece in answer:
            self.send({"type": "http.response.body", "body": piece, "more_body": True})
        self.send({"type": "http.response.body", "body": b""})
