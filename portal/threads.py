"""Django in a thread pool: the event loop takes the whole request, a thread answers it.

A thread never waits for a client: a few who send no end of their bodies would have all of them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from tempfile import SpooledTemporaryFile
from typing import Any

from a2wsgi.wsgi import build_environ

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

IN_MEMORY_BYTES = 128 * 1024
MOST_BYTES = 2 * 1024 * 1024  # no form and no document may be longer; who sends more is refused by what reads the beginning


class _Gone(Exception):
    """The client went away before its request was whole."""


class ThreadPool:
    """Runs a WSGI application's requests, each in one of ``workers`` threads; a body that is not whole in ``body_s`` is refused."""

    def __init__(self, app: Callable[..., Any], workers: int, body_s: float = 60) -> None:
        self._app = app
        self._body_s = body_s
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="WSGI")

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        with SpooledTemporaryFile(IN_MEMORY_BYTES) as body:
            try:
                async with asyncio.timeout(self._body_s):
                    await _gather(receive, body)
            except TimeoutError:
                await send({"type": "http.response.start", "status": 408, "headers": [(b"connection", b"close")]})
                await send({"type": "http.response.body", "body": b""})
                return
            except _Gone:
                return
            await self._answer(_environ(scope, body), send)

    async def _answer(self, environ: Any, send: Send) -> None:
        loop = asyncio.get_running_loop()
        answer = _Answer(loop, send)
        await loop.run_in_executor(self._threads, copy_context().run, answer.take, self._app, environ)
        for message in answer.whole:
            await send(message)


async def _gather(receive: Receive, body: Any) -> None:
    """Write a request's body down, or as much of it as anybody reads; raises _Gone."""
    more = True
    while more and body.tell() <= MOST_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        body.write(message.get("body", b""))
        more = message.get("more_body", False)


def _environ(scope: Any, body: Any) -> Any:
    """Return the request as WSGI has it; a body in chunks has a length now, without which nobody would read it."""
    environ: Any = build_environ(scope, body)
    environ.setdefault("CONTENT_LENGTH", str(body.tell()))
    body.seek(0)
    return environ


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
