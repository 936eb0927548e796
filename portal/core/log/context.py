"""What a line belongs to: a request, a server, a service."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

from portal.core.log.levels import refresh

SERVICES = ("identity", "image", "compute", "network", "portal")

_OWNERS = {
    "accounts": "identity",
    "images": "image",
    "compute.network": "network",
    "compute": "compute",
    "portal.dashboard": "portal",
}

_request_id: ContextVar[str] = ContextVar("request_id", default="-")
_server_id: ContextVar[str] = ContextVar("server_id", default="")
_service: ContextVar[str] = ContextVar("service", default="")


class ContextFilter(logging.Filter):
    """Adds ``request_id``, ``server_id`` and ``service`` to each record.

    A line of the kernel or of a library belongs to the service that is at work, and to ``otherwise`` when none is.
    """

    def __init__(self, otherwise: str) -> None:
        super().__init__()
        self._otherwise = otherwise

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = _request_id.get()
        record.server_id = getattr(record, "server_id", None) or _server_id.get()
        if not hasattr(record, "service"):
            record.service = owner(record.name) or _service.get() or self._otherwise
        return True


@lru_cache(maxsize=1024)
def owner(logger: str) -> str | None:
    """Return the service whose code logs under this name; None for the kernel and for libraries."""
    name = logger
    while name:
        if name in _OWNERS:
            return _OWNERS[name]
        name = name.rpartition(".")[0]
    return None


def service_of(path: str) -> str:
    """Return the service that answers at an address; pages and all else are the portal's."""
    first = path.lstrip("/").partition("/")[0]
    return first if first in SERVICES else "portal"


@contextmanager
def bound(request_id: str | None = None, server_id: str | None = None, service: str | None = None) -> Iterator[None]:
    """Name the request, the server and the service in every line logged inside."""
    refresh()
    tokens = []
    for variable, value in ((_request_id, request_id), (_server_id, server_id), (_service, service)):
        if value:
            tokens.append((variable, variable.set(value)))
    try:
        yield
    finally:
        for variable, token in reversed(tokens):
            variable.reset(token)
