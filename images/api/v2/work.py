"""The threads in which image transfers do what blocks: database work, and the work on bytes."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from contextvars import copy_context
from typing import Any, TypeVar

from django.db import close_old_connections

from portal.core import statements

T = TypeVar("T")
Job = Callable[[], None]

AHEAD = 2

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


async def in_lanes(batches: AsyncGenerator[Sequence[Job], None]) -> None:
    """Do the jobs of all batches: the first ones in a lane, one after another, beside them the second ones in theirs, and so on.

    No lane waits for another; who brings batches waits for the slowest, so that few are in memory. When no more can be brought, what
    was brought is done all the same; what a job raises ends all, but not before the jobs in threads have ended.
    """
    lanes: list[asyncio.Queue[Job | None]] = []
    stopped: Exception | None = None
    try:
        async with asyncio.TaskGroup() as group, aclosing(batches):
            try:
                async for jobs in batches:
                    lanes = lanes or [_lane(group) for _job in jobs]
                    for lane, job in zip(lanes, jobs, strict=True):
                        await lane.put(job)
            except Exception as error:
                stopped = error
            for lane in lanes:
                await lane.put(None)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    if stopped is not None:
        raise stopped


def _lane(group: asyncio.TaskGroup) -> "asyncio.Queue[Job | None]":
    lane: asyncio.Queue[Job | None] = asyncio.Queue(AHEAD)
    group.create_task(_work_off(lane))
    return lane


async def _work_off(lane: "asyncio.Queue[Job | None]") -> None:
    while (job := await lane.get()) is not None:
        await on_bytes(job)
        del job  # and with it the batch, before the next one is waited for


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
