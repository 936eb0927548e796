"""Two workers for one host: the second does not begin."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import redis

from compute.worker.place import Place
from tests.kit.queue import private_redis  # noqa: F401

ROOT = Path(__file__).parents[3]
KEY = b"key" * 20


@pytest.fixture
def worker(private_redis):  # noqa: F811
    """Start the process of a worker of host1, in a state folder of its own for each machine."""
    started, place = [], tempfile.TemporaryDirectory(prefix="nebulet-place-")  # short: sockets are in it

    def start(machine="one"):
        folder = Path(place.name) / machine
        (folder / "secrets").mkdir(parents=True, exist_ok=True)
        (folder / "run").mkdir(exist_ok=True)
        (folder / "secrets" / "queue-key").write_bytes(KEY)
        told = {
            "NEBULET_STATE_DIR": str(folder),
            "NEBULET_HOST": "host1",
            "NEBULET_DRIVER": "fake",
            "NEBULET_METADATA_PORT": "0",
            "BROKER_URL": f"{private_redis}?db=0",
            "REDIS_URL": f"{private_redis}?db=1",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "compute.worker"],
            cwd=ROOT,
            env={**os.environ, **told},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
    place.cleanup()


def works(process):
    """Wait until a worker says that it works."""
    return any("works with driver" in line for line in process.stdout)


def test_a_second_worker_of_one_host_does_not_begin(worker):
    first = worker()
    assert works(first)
    told, _nothing = worker().communicate(timeout=30)
    assert "one host takes one worker" in told
    assert "works with driver" not in told
    assert first.poll() is None


def test_a_worker_that_was_killed_is_followed_at_once(worker):
    first = worker()
    assert works(first)
    first.kill()
    first.wait()
    assert works(worker())


def test_a_second_machine_of_the_same_name_does_not_begin_until_the_first_is_silent(worker, private_redis):  # noqa: F811
    first = worker("one")
    assert works(first)
    second = worker("another")
    told, _nothing = second.communicate(timeout=30)
    assert (second.returncode, "has a worker of host host1: give one of the two another name" in told) == (1, True)
    first.kill()
    first.wait()
    redis.Redis.from_url(f"{private_redis}?db=1").delete("nebulet:worker:host1")  # as after 30 seconds
    assert works(worker("another"))


def test_a_worker_whose_place_was_taken_while_nobody_could_be_asked_ends(private_redis, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr("compute.worker.place._RENEW_S", 0.05)
    client = redis.Redis.from_url(private_redis)
    lost = []
    place = Place(tmp_path / "lock", client, "host1")
    place.take()
    place.keep(lambda: lost.append(signal.SIGTERM))
    time.sleep(0.3)
    assert not lost
    client.set("nebulet:worker:host1", "a boot 1 2 elsewhere")
    end = time.monotonic() + 5
    while not lost and time.monotonic() < end:
        time.sleep(0.01)
    assert lost == [signal.SIGTERM]
    with pytest.raises(SystemExit, match="one worker"):
        Place(tmp_path / "lock", client, "host1").take()


def test_a_worker_begins_while_redis_is_away(tmp_path):
    Place(tmp_path / "lock", redis.Redis.from_url("unix:///nowhere.sock"), "host1").take()
