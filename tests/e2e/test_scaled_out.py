"""The same cloud on PostgreSQL, RabbitMQ and Redis: three addresses in the environment and nothing else."""

import json
import os
import re
import signal
import statistics
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import dramatiq
import httpx
import pytest
from dramatiq.errors import ConnectionClosed
from websockets.sync.client import connect

from portal.core import broker as brokers
from tests.e2e.cloud import Api, Cloud
from tests.e2e.servers import Servers
from tests.kit.unsigned import Unsigned
from tests.kit.waiting import wait_for

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    servers = Servers()
    try:
        yield servers.start()
    finally:
        servers.stop()


@pytest.fixture(scope="module")
def cloud(servers: Servers) -> Iterator[Cloud]:
    urls = {"DATABASE_URL": servers.database_url, "BROKER_URL": servers.broker_url, "REDIS_URL": servers.redis_url}
    with Cloud(driver="fake", extra={**urls, "NEBULET_DEBUG": "1"}).running() as cloud:
        yield cloud


@pytest.fixture(scope="module")
def image(cloud: Cloud) -> str:
    """The name of an image of one megabyte."""
    http = cloud.client()
    made = http.post("/image/v2/images", json={"name": "blank", "disk_format": "raw", "container_format": "bare"})
    stored = http.put(
        f"/image/v2/images/{made.json()['id']}/file",
        content=bytes(1 << 20),
        headers={"Content-Type": "application/octet-stream"},
    )
    assert stored.status_code == 204, stored.text
    return "blank"


def test_no_private_queue_and_no_private_database(cloud: Cloud):
    report = json.loads(cloud.nebulet("status", "--json").stdout)
    assert {row["name"] for row in report["processes"]} == {"supervisor", "web", "conductor", "compute"}
    assert not (cloud.state / "run" / "queue.sock").exists()
    assert not (cloud.state / "db" / "nebulet.sqlite3").exists()


def test_ten_servers_at_once(cloud: Cloud, api: Api, image: str):
    began: dict[str, float] = {}

    def create(number: int) -> str:
        at = time.monotonic()
        server_id = api.create(f"many-{number}", image=image)
        began[server_id] = at
        return server_id

    with ThreadPoolExecutor(10) as pool:
        ids = list(pool.map(create, range(10)))
        waits = list(pool.map(lambda server_id: (api.wait(server_id), time.monotonic() - began[server_id])[1], ids))
    print("POST to ACTIVE, ten at once:", [f"{wait:.2f} s" for wait in sorted(waits)])
    assert statistics.median(waits) < 10

    one = ids[0]
    for action, status in (("os-stop", "SHUTOFF"), ("os-start", "ACTIVE")):
        assert api.act(one, action).status_code == 202
        api.wait(one, status)
    for server_id in ids:
        assert api.http.delete(f"/compute/v2.1/servers/{server_id}").status_code == 204
    for server_id in ids:
        api.wait_gone(server_id)


def test_a_conductor_killed_in_the_middle_of_builds_finishes_them(cloud: Cloud, api: Api, image: str):
    old = cloud.pid("conductor")
    ids = []
    for number in range(6):
        ids.append(api.create(f"orphan-{number}", image=image))
        if number == 2:
            os.kill(old, signal.SIGKILL)
    for server_id in ids:
        api.wait(server_id)
    assert cloud.pid("conductor") != old
    for server_id in ids:
        api.delete(server_id)


def test_pages_answer_and_hear_of_changes(cloud: Cloud, api: Api, image: str):
    with closing(signed_in(cloud)) as browser:
        assert browser.get("/instances/").status_code == 200
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        address = cloud.url.replace("http", "ws", 1) + "/ws/servers/"
        with connect(address, additional_headers={"Cookie": cookies}, origin=cloud.url) as socket:  # type: ignore[arg-type]
            server_id = api.create("watched", image=image)
            heard = json.loads(socket.recv(timeout=20))
            assert heard["id"] == server_id
        api.wait(server_id)
        assert "watched" in browser.get("/instances/").text
    api.delete(server_id)


def test_rabbitmq_and_postgresql_may_be_started_again(cloud: Cloud, api: Api, image: str, servers: Servers):
    servers.end("rabbitmq")
    server_id = api.create("accepted-without-queue", image=image)
    servers.start_rabbitmq()
    api.wait(server_id)
    servers.end("postgresql")
    servers.start_postgresql()
    # Of each kept connection it is seen that it is dead before a request uses it.
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: api.http.get("/compute/v2.1/servers").status_code, range(48)))
    assert answers == [200] * 48
    api.delete(server_id, 120)


def test_invariants_hold_and_no_password_is_told(cloud: Cloud, servers: Servers):
    wait_for("true invariants", lambda: cloud.nebulet("manage", "invariants", check=False).returncode == 0, 40, every=2)
    wrong = servers.database_url.replace(servers.password, f"no-{servers.password}")
    other = Cloud(driver="fake", extra={**cloud.extra, "DATABASE_URL": wrong})
    try:
        failed = other.nebulet("up", "--detach", "--no-install", check=False)
    finally:
        other.down()
    assert failed.returncode == 1
    told = failed.stdout + failed.stderr + cloud.nebulet("up", "--detach").stdout
    told += subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    told += "".join(path.read_text(errors="replace") for path in (cloud.state / "log").rglob("*.log*"))
    assert servers.password not in told
    assert "undefined actor" not in told  # each process reads its own queues only


class TestBroker:
    """One sending connection per process, and no message lost on it."""

    @pytest.fixture
    def broker(self, servers: Servers) -> Iterator[dramatiq.Broker]:
        encoder = dramatiq.get_encoder()
        broker = brokers.make_broker(servers.broker_url, b"k" * 32)
        yield broker
        broker.close()
        dramatiq.set_encoder(encoder)

    @pytest.fixture
    def taken(self, broker: dramatiq.Broker) -> Iterator[list[dict[str, int]]]:
        seen: list[dict[str, int]] = []
        dramatiq.actor(queue_name="q", actor_name="take", broker=broker)(lambda **payload: seen.append(payload))
        worker = dramatiq.Worker(broker, worker_threads=2)
        worker.start()
        yield seen
        worker.stop()

    def test_many_threads_send_on_one_connection(self, broker, taken, servers):
        before = len(servers.rabbitmqctl("list_connections", "pid").split())
        with ThreadPoolExecutor(12) as pool:
            list(pool.map(lambda n: brokers.send(broker, "q", "take", {"n": n}), range(200)))
        wait_for("all messages", lambda: len(taken) == 200, 20)
        assert sorted(payload["n"] for payload in taken) == list(range(200))
        assert len(servers.rabbitmqctl("list_connections", "pid").split()) <= before + 1

    def test_a_queue_that_nobody_reads_yet_keeps_its_messages(self, broker, servers):
        brokers.send(broker, "compute.later", "take", {"n": 1})
        assert re.search(r"compute\.later\s+1\b", servers.rabbitmqctl("list_queues", "name", "messages"))

    def test_a_connection_closed_meanwhile_loses_nothing(self, broker, taken, servers):
        brokers.send(broker, "q", "take", {"n": 1})
        servers.rabbitmqctl("close_all_connections", "--", "as if heartbeats were missed")
        brokers.send(broker, "q", "take", {"n": 2})
        wait_for("both messages", lambda: {payload["n"] for payload in taken} == {1, 2})

    def test_an_idle_connection_answers_heartbeats(self, servers, monkeypatch):
        from portal.core import rabbitmq

        monkeypatch.setattr(rabbitmq, "PULSE_S", 0.5)
        broker = brokers.make_broker(servers.broker_url + "?heartbeat=2", b"k" * 32)
        brokers.send(broker, "idle", "take", {"n": 1})
        connection = broker.connection
        time.sleep(7)
        assert connection.is_open
        assert broker.connection is connection
        broker.close()

    def test_a_message_without_our_signature_is_dropped(self, broker, taken):
        broker.enqueue(Unsigned(queue_name="q", actor_name="take", args=(), kwargs={"n": -1}, options={}))
        brokers.send(broker, "q", "take", {"n": 1})
        wait_for("the signed message", lambda: taken == [{"n": 1}])

    def test_no_server_is_said_soon_and_in_one_way(self, servers):
        nowhere = brokers.make_broker("amqp://nebulet:secret@127.0.0.1:1", b"k" * 32)
        began = time.monotonic()
        with pytest.raises(ConnectionClosed) as raised:
            brokers.send(nowhere, "q", "take", {})
        assert time.monotonic() - began < 2
        assert "secret" not in str(raised.value)


def signed_in(cloud: Cloud) -> httpx.Client:
    """Return a browser's client that the user demo signed in with."""
    browser = httpx.Client(base_url=cloud.url, follow_redirects=True, timeout=30)
    page = browser.get("/account/sign-in/").text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None
    form = {"name": "demo", "password": cloud.password("demo"), "domain": "Default", "csrfmiddlewaretoken": token[1]}
    answer = browser.post("/account/sign-in/", data=form, headers={"Origin": cloud.url, "Referer": cloud.url + "/"})
    assert answer.status_code == 200, answer.text
    assert "sign-in" not in str(answer.url)
    return browser
