"""The threads in which image transfers do what blocks: database work, and the work on bytes."""

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from django.db import close_old_connections

from portal.core import statements

T = TypeVar("T")

_DATABASE = ThreadPoolExecutor(8, thread_name_prefix="image-record")
_BYTES = ThreadPoolExecutor(max(6, 3 * (os.cpu_count() or 2)), thread_name_prefix="image-bytes")


async def in_database(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Run what asks the database in a thread whose connection is looked after as Django does for requests.

    The thread logs under the request's id.
    """

    def work() -> T:
        close_old_connections()
        try:
            with statements.logged():
                return function(*args, **kwargs)
        finally:
            close_old_connections()

    return await finished(asyncio.get_running_loop().run_in_executor(_DATABASE, copy_context().run, work))


async def on_bytes(function: Callable[..., T], *args: Any) -> T:
    """Run what reads or writes image bytes in a thread."""
    return await finished(asyncio.get_running_loop().run_in_executor(_BYTES, function, *args))


def side_by_side(jobs: Sequence[Callable[[], None]]) -> "asyncio.Future[list[None]]":
    """Start all jobs at once, each in a thread, and return what waits for the last."""
    loop = asyncio.get_running_loop()
    return asyncio.gather(*(loop.run_in_executor(_BYTES, job) for job in jobs))


async def finished(work: "asyncio.Future[T]") -> T:
    """Return the result of a thread's work, and do not leave before it ended.

    A thread cannot be cancelled. Who is cancelled waits here all the same, so that nobody closes a file that is still written to.
    """
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        work.exception()  # looked at, so that nothing complains about it later
        raise cancelled
    return work.result()
