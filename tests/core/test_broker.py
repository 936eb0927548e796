"""The broker on a real private queue: signatures, latency by bell, redelivery after a kill."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time

import dramatiq
import pytest
import redis
from dramatiq.errors import DecodeError

from portal.core import broker as brokers
from tests.kit.unsigned import Unsigned

KEY = b"k" * 32


@contextlib.contextmanager
def _queue(folder):
    server = shutil.which("valkey-server") or shutil.which("redis-server")
    assert server, "the tests need redis-server or valkey-server"
    socket = folder / "q.sock"
    process = subprocess.Popen(
        [server, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)], stdout=subprocess.DEVNULL
    )
    while not socket.exists():
        time.sleep(0.01)
    old = dramatiq.get_encoder()
    yield f"unix://{socket}?db=0"
    dramatiq.set_encoder(old)
    process.terminate()
    process.wait()


@pytest.fixture
def queue_url(tmp_path):
    with _queue(tmp_path) as url:
        yield url


@pytest.fixture(scope="module")
def idle_worker(tmp_path_factory):
    """A worker for several tests: it takes seconds to go idle and to end."""
    with _queue(tmp_path_factory.mktemp("queue")) as url:
        broker = brokers.make_broker(url, KEY)
        seen: list[tuple[float, dict]] = []
        arrived = threading.Event()

        @dramatiq.actor(queue_name="q", actor_name="take", broker=broker)
        def take(**payload):
            seen.append((time.perf_counter(), payload))
            arrived.set()

        worker = dramatiq.Worker(broker, worker_threads=2)
        worker.start()
        time.sleep(1.5)  # long enough for the consumer to go idle
        yield broker, seen, arrived
        worker.stop()


@pytest.fixture
def worker(idle_worker):
    broker, seen, arrived = idle_worker
    seen.clear()
    arrived.clear()
    dramatiq.set_encoder(brokers.SignedEncoder(KEY))
    return broker, seen, arrived


def test_an_idle_consumer_starts_within_milliseconds(worker):
    broker, seen, arrived = worker
    waits = []
    for _ in range(20):
        arrived.clear()
        time.sleep(0.05)
        sent = time.perf_counter()
        brokers.send(broker, "q", "take", {"sent": 1})
        assert arrived.wait(5)
        waits.append(seen[-1][0] - sent)
    assert sorted(waits)[10] < 0.03, waits


def test_a_message_without_our_signature_is_dropped_and_the_next_one_runs(worker):
    broker, seen, arrived = worker
    broker.enqueue(Unsigned(queue_name="q", actor_name="take", args=(), kwargs={"forged": 1}, options={}))
    brokers.send(broker, "q", "take", {"good": 1})
    assert arrived.wait(5)
    time.sleep(0.2)
    assert [payload for _, payload in seen] == [{"good": 1}]


def test_another_key_does_not_decode():
    data = brokers.SignedEncoder(b"one").encode({"a": 1})
    with pytest.raises(DecodeError):
        brokers.SignedEncoder(b"two").decode(data)
    assert brokers.SignedEncoder(b"one").decode(data) == {"a": 1}


def test_a_killed_workers_message_goes_to_the_next_one(queue_url, tmp_path):
    program = textwrap.dedent(
        f"""
        import sys, time, dramatiq
        from portal.core import broker as b
        b.HEARTBEAT_TIMEOUT_MS = 1500
        broker = b.make_broker({queue_url!r}, {KEY!r})
        @dramatiq.actor(queue_name="q", actor_name="take", broker=broker)
        def take(**payload):
            open({str(tmp_path)!r} + "/" + sys.argv[1], "w").close()
            time.sleep(float(sys.argv[2]))
        dramatiq.Worker(broker, worker_threads=1).start()
        time.sleep(60)
        """
    )
    env = {**os.environ, "PYTHONPATH": os.getcwd()}
    first = subprocess.Popen([sys.executable, "-c", program, "first", "60"], env=env)
    second = None
    try:
        brokers.send(brokers.make_broker(queue_url, KEY), "q", "take", {})
        _wait_for(tmp_path / "first")
        os.kill(first.pid, signal.SIGKILL)
        second = subprocess.Popen([sys.executable, "-c", program, "second", "0"], env=env)
        _wait_for(tmp_path / "second")
    finally:
        for process in (first, second):
            if process:
                process.kill()
                process.wait()


def _wait_for(path, seconds=20):
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.05)


def test_the_bell_survives_a_lost_connection(worker):
    broker, _seen, arrived = worker
    client = redis.Redis(unix_socket_path=broker.client.connection_pool.connection_kwargs["path"])
    client.client_kill_filter(_type="pubsub")
    time.sleep(1.5)
    brokers.send(broker, "q", "take", {"after": 1})
    assert arrived.wait(5)
