"""The private queue on a full disk: it takes nothing, says why, and all goes on by itself when there is room."""

import os
import subprocess
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dramatiq
import pytest
import redis
from django.db import transaction

from deploy.launcher import processes
from portal.core import broker as brokers
from portal.core import bus
from portal.core.models import OutboxMessage
from tests.kit import queue
from tests.kit.waiting import wait_for

pytestmark = [pytest.mark.real, pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a disk")]

KEY = b"k" * 32
FULL = "No space left on device"


class Disk:
    """A disk of one megabyte with the queue's file on it, and the queue as an installation has it."""

    def __init__(self, folder: Path) -> None:
        self.url = f"unix://{folder.parent}/queue.sock"
        self._ballast = folder / "ballast"
        conf = folder.parent / "queue.conf"
        conf.write_text(processes._QUEUE_CONF.format(run=folder.parent, queue=folder))
        self.server = subprocess.Popen([str(queue.binary()), str(conf)], stdout=subprocess.DEVNULL)
        wait_for("the queue", (folder.parent / "queue.sock").exists, every=0.02)
        self.client = redis.Redis.from_url(self.url)

    def fill(self) -> None:
        """Leave no room, and wait until the queue has noticed."""
        with self._ballast.open("ab", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                pass
        wait_for("the refusal", self._refuses, every=0.02)

    def make_room(self) -> None:
        self._ballast.unlink()

    def _refuses(self) -> bool:
        try:
            self.client.set("word", "x" * 5000)
        except redis.ResponseError:
            return True
        return False


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "queue"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)], check=True)
    disk, before = Disk(folder), dramatiq.get_encoder()
    yield disk
    dramatiq.set_encoder(before)
    disk.server.terminate()
    disk.server.wait()
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_what_was_taken_is_done_once_and_what_was_delayed_comes_when_there_is_room(disk, caplog):
    broker = brokers.make_broker(disk.url, KEY)
    done, begun, may_end = [], threading.Event(), threading.Event()

    @dramatiq.actor(queue_name="q", actor_name="take", broker=broker)
    def take(number):
        begun.set()
        may_end.wait(60)
        done.append(number)

    worker = dramatiq.Worker(broker, worker_threads=1)
    take.send_with_options(kwargs={"number": 2}, delay=3000)
    worker.start()
    wait_for("the delayed one to be taken", lambda: disk.client.keys("*acks*.q.DQ"), every=0.02)
    brokers.send(broker, "q", "take", {"number": 1})
    begun.wait(60)
    disk.fill()

    with pytest.raises(redis.RedisError, match=FULL):
        brokers.send(broker, "q", "take", {"number": 3})
    may_end.set()
    wait_for(
        "a refused acknowledgement",
        lambda: "Failed to post_process_message(take(number=1)) due to a connection error: MISCONF" in caplog.text,
    )
    wait_for("a refused delay", lambda: "Consumer encountered" in caplog.text)
    assert f"gives and takes nothing until there is room: MISCONF Errors writing to the AOF file: {FULL}" in caplog.text
    disk.make_room()

    wait_for("the delayed one", lambda: 2 in done)
    wait_for("all acknowledged", lambda: not disk.client.keys("*acks*") and not disk.client.keys("*msgs"))
    brokers.send(broker, "q", "take", {"number": 4})
    wait_for("the next one", lambda: 4 in done)
    assert done == [1, 2, 4]
    worker.stop()


@pytest.mark.django_db(transaction=True)
def test_what_was_accepted_waits_in_the_outbox(disk, settings, caplog):
    settings.BROKER_URL = disk.url
    bus.broker.cache_clear()
    disk.fill()

    with transaction.atomic():
        bus.cast("q", "take", {"number": 1})

    assert OutboxMessage.objects.count() == 1
    assert bus.resend(timedelta(seconds=-1)) == 0
    assert f"waits in the outbox: MISCONF Errors writing to the AOF file: {FULL}" in caplog.text
    disk.make_room()
    wait_for("the message to go", lambda: bus.resend(timedelta(seconds=-1)) == 1)
    assert not OutboxMessage.objects.exists()
    assert disk.client.llen("nebulet:q") == 1
    bus.broker.cache_clear()
