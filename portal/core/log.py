"""One log line form for every process, with the request id and the server it speaks of. No Django.

``2026-01-31 17:05:45.222 2771 INFO compute.worker.build [req-6f49…] [instance: ba28…] Starting instance...``
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_request_id: ContextVar[str] = ContextVar("request_id", default="-")
_server_id: ContextVar[str] = ContextVar("server_id", default="")


class ContextFilter(logging.Filter):
    """Adds ``where`` (request id and server) to each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        server_id = getattr(record, "server_id", None) or _server_id.get()
        record.where = f"[{_request_id.get()}]" + (f" [instance: {server_id}]" if server_id else "")
        return True


@contextmanager
def bound(request_id: str | None = None, server_id: str | None = None) -> Iterator[None]:
    """Name the request and the server in every line logged inside."""
    tokens = []
    if request_id:
        tokens.append((_request_id, _request_id.set(request_id)))
    if server_id:
        tokens.append((_server_id, _server_id.set(server_id)))
    try:
        yield
    finally:
        for variable, token in reversed(tokens):
            variable.reset(token)


FORMAT = "%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s %(where)s %(message)s"

_QUIET = ("asyncio", "urllib3", "pika", "oslo_policy", "httpx", "uvicorn.access", "django.server", "dramatiq.worker")


def configure(debug: bool = False) -> None:
    """Send every logger to standard error in our form; ``debug`` brings the fullest detail."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(FORMAT, datefmt="%Y-%m-%d %H:%M:%S"))
    handler.addFilter(ContextFilter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if debug else logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.INFO if debug else logging.WARNING)
