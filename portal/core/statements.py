"""What the database was asked, at debug level: each statement with its duration, and never its parameters.

Parameters are rows: names, hashes of passwords, sealed secrets. Django leaves every value out of a statement's text.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

LOG = logging.getLogger(__name__)

_LONGEST = 2000


@contextmanager
def logged() -> Iterator[None]:
    """Log what this thread asks the database inside, if debug is on when it begins."""
    if not LOG.isEnabledFor(logging.DEBUG) or _note in connection.execute_wrappers:
        yield
        return
    with connection.execute_wrapper(_note):
        yield


def _note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    started = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        LOG.debug("%.2f ms: %s", (time.perf_counter() - started) * 1000, sql[:_LONGEST])
