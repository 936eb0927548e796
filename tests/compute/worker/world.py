"""A whole worker with the fake driver on a real queue, and a conductor that only listens."""

import tempfile
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import dramatiq
import pytest

from compute.messages import (
    COMMAND_ACTORS,
    CONDUCTOR_QUEUE,
    REPORT_ACTORS,
    OperationFinished,
    Spawn,
    host_queue,
    pack,
    unpack,
)
from compute.virt.fake import FakeDriver
from compute.worker.config import Config
from compute.worker.host import Host
from portal.core.broker import make_broker, send
from tests.compute.virt import samples
from tests.kit.queue import private_redis  # noqa: F401

KEY = b"key" * 20


@dataclass
class Conductor:
    """Takes what the host reports."""

    broker: dramatiq.Broker
    reports: list = field(default_factory=list)
    numbers: "defaultdict[str, int]" = field(default_factory=lambda: defaultdict(int))

    def __post_init__(self):
        for kind, name in REPORT_ACTORS.items():
            dramatiq.actor(broker=self.broker, actor_name=name, queue_name=CONDUCTOR_QUEUE)(self._taker(kind))

    def _taker(self, kind):
        def take(**payload):
            self.reports.append(unpack(kind, payload))

        return take

    def of(self, kind):
        return [report for report in list(self.reports) if isinstance(report, kind)]

    def send(self, command):
        send(self.broker, host_queue("host1"), COMMAND_ACTORS[type(command)], pack(command))
        return command.request_id

    def outcome(self, request_id, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for report in self.of(OperationFinished):
                if report.request_id == request_id:
                    return report
            time.sleep(0.01)
        raise AssertionError(f"no outcome of {request_id}: {self.reports[-3:]}")


@pytest.fixture
def world(private_redis, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr("compute.worker.lanes._IDLE_MS", 200)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "secrets" / "queue-key").write_bytes(KEY)
    made = []

    def make(driver=None, pretence=None):
        broker = make_broker(f"{private_redis}?db=0", KEY)
        conductor = Conductor(broker)
        relay = f"unix:{tempfile.mkdtemp()}/relay.sock"
        config = Config.read(
            {
                "NEBULET_STATE_DIR": str(tmp_path),
                "NEBULET_HOST": "host1",
                "NEBULET_DRIVER": "fake",
                "BROKER_URL": f"{private_redis}?db=0",
                "REDIS_URL": f"{private_redis}?db=1",
                "NEBULET_RELAY": relay,
            }
        )
        host = Host(config, broker, driver or FakeDriver(tmp_path / "instances", pretence))
        host.start()
        taker = dramatiq.Worker(broker, queues={CONDUCTOR_QUEUE}, worker_timeout=200, worker_threads=1)
        taker.start()
        made.append((host, taker))
        return host, conductor

    yield make
    with ThreadPoolExecutor() as ending:
        for host, taker in made:
            for end in (host.stop, host._console.stop, taker.stop):
                ending.submit(end)


def spawn(number=1, **fields):
    spec = samples.guest(**fields)
    server_id = f"00000000-0000-4000-8000-{number:012d}"
    return Spawn(server_id, f"req-spawn-{number}", replace(spec, server_id=server_id))
