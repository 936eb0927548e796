"""Django in a thread pool: the event loop takes the request, a thread answers it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from a2wsgi.wsgi import Body, build_environ

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]


class ThreadPool:
    """Runs a WSGI application's requests, each in one of ``workers`` threads."""

    def __init__(self, app: Callable[..., Any], workers: int) -> None:
        self._app = app
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="WSGI")

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        loop = asyncio.get_running_loop()
        answer = _Answer(loop, send)
        environ = build_environ(scope, Body(loop, receive))
        await loop.run_in_executor(self._threads, copy_context().run, answer.take, self._app, environ)
        for message in answer.whole:
            await send(message)


class _Answer:
    """Gives a ``whole`` answer back with the thread's end; only what is streamed goes piece by piece.

    To change threads for the head and for each piece costs as much as a small request itself.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, send: Send) -> None:
        self._loop = loop
        self._send = send
        self.whole: list[Message] = []

    def take(self, app: Callable[..., Any], environ: Any) -> None:
        """Let the application answer, in a thread."""
        answer = app(environ, self._start)
        try:
            if getattr(answer, "streaming", True):
                self._stream(answer)
            else:
                self.whole.append({"type": "http.response.body", "body": b"".join(answer)})
        finally:
            getattr(answer, "close", lambda: None)()

    def _start(self, status: str, headers: Iterable[tuple[str, str]], _exc_info: Any = None) -> None:
        encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        self.whole.append({"type": "http.response.start", "status": int(status[:3]), "headers": encoded})

    def _stream(self, pieces: Iterable[bytes]) -> None:
        while self.whole:
            self._send_now(self.whole.pop())
        for piece in pieces:
            self._send_now({"type": "http.response.body", "body": piece, "more_body": True})
        self._send_now({"type": "http.response.body", "body": b""})

    def _send_now(self, message: Message) -> None:
        async def sending() -> None:
            await self._send(message)

        asyncio.run_coroutine_threadsafe(sending(), self._loop).result()
