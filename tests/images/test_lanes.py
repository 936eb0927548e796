"""Work on batches of bytes, each kind of it in a lane of its own."""

import asyncio
import threading
import time

import pytest

from images.api.v2.work import AHEAD, in_lanes

COUNT = 20


async def of(*batches, then=None):
    """Yield batches, and end with an error where one is given."""
    for jobs in batches:
        yield jobs
    if then is not None:
        raise then


def note(done, *what, after_s=0.0):
    def job():
        time.sleep(after_s)
        done.append(what)

    return job


async def test_each_lane_does_its_jobs_in_order():
    done = []
    await in_lanes(of(*([note(done, "a", n, after_s=0.002), note(done, "b", n)] for n in range(COUNT))))
    for lane in "ab":
        assert [n for name, n in done if name == lane] == list(range(COUNT))


async def test_a_lane_does_not_wait_for_another():
    ahead = threading.Event()

    def first():
        assert ahead.wait(10)

    await in_lanes(of([first, lambda: None], [lambda: None, ahead.set]))


async def test_few_batches_are_unfinished():
    begun, done, most = 0, [], 0

    async def counted():
        nonlocal begun, most
        for n in range(COUNT):
            begun += 1
            most = max(most, begun - len(done))
            yield [note(done, n, after_s=0.005), lambda: None]

    await in_lanes(counted())
    assert len(done) == COUNT
    assert most <= AHEAD + 3  # one at work, one that waits for its place, one that is brought


async def test_a_fault_in_a_lane_ends_the_others_when_their_threads_have_ended():
    done = []

    def broken():
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        await in_lanes(of(*([broken, note(done, n, after_s=0.1)] for n in range(COUNT))))
    at_the_end = list(done)
    await asyncio.sleep(0.3)
    assert done == at_the_end
    assert len(done) < COUNT


async def test_what_was_brought_is_done_when_no_more_can_be_brought():
    done = []
    with pytest.raises(ConnectionError):
        await in_lanes(of(*([note(done, n, after_s=0.01)] for n in range(3)), then=ConnectionError()))
    assert len(done) == 3


async def test_who_is_cancelled_waits_for_the_threads():
    begun, done = threading.Event(), []

    def slow():
        begun.set()
        time.sleep(0.2)
        done.append("slow")

    async def silent():
        yield [slow, lambda: None]
        await asyncio.sleep(30)

    task = asyncio.create_task(in_lanes(silent()))
    await asyncio.to_thread(begun.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == ["slow"]
