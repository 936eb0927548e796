"""PostgreSQL's primary dies, and its standby takes over: the processes go on with it, and nothing that was accepted is lost."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import InternalError, OperationalError
from django.db.utils import ConnectionHandler

from portal.settings.databases import database
from tests.e2e.cloud import ROOT, free_port
from tests.e2e.servers import Servers
from tests.kit.secrecy import remember
from tests.kit.waiting import wait_for

pytestmark = pytest.mark.real

WRITERS = 3
# Tables as the models are, without the way of the migrations, which other tests go.
FILL = """
import django
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
django.setup()
settings.MIGRATION_MODULES = {app.label: None for app in apps.get_app_configs()}
call_command("migrate", run_syncdb=True, verbosity=0)
call_command("seed", verbosity=0)
"""


@dataclass
class Parts:
    """The web process and the conductor, as ``up`` would start them, on two servers of PostgreSQL and one of Redis."""

    servers: Servers
    password: str = field(default_factory=lambda: remember(secrets.token_urlsafe(12)))
    state: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="nebulet-failover-", dir="/var/tmp")))
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        (self.state / "db").mkdir()
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("NEBULET_", "PYTEST_"))}
        own = {
            "DATABASE_URL": self.servers.several_url,
            "BROKER_URL": self.servers.redis_url,
            "REDIS_URL": self.servers.redis_url,
            "DJANGO_SETTINGS_MODULE": "portal.settings.test",
            "NEBULET_STATE_DIR": str(self.state),
            "NEBULET_ADMIN_PASSWORD": self.password,
        }
        return kept | own

    def start(self) -> None:
        subprocess.run([sys.executable, "-c", FILL], cwd=ROOT, env=self.environment, check=True, capture_output=True)
        self._run("web", "-m", "uvicorn", "portal.asgi:application", "--port", str(self.port), "--log-level", "warning")
        self._run("conductor", "manage.py", "conductor")
        self.servers.start_standby()
        wait_for("the web process", self._answers)

    def stop(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()
        shutil.rmtree(self.state, ignore_errors=True)

    def client(self) -> httpx.Client:
        """Return a client with the administrator's token, at the compute API."""
        http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60)
        user = {"name": "admin", "domain": {"id": "default"}, "password": self.password}
        scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
        asked = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
        answer = http.post("/identity/v3/auth/tokens", json=asked)
        assert answer.status_code == 201, answer.text
        http.headers["X-Auth-Token"] = remember(answer.headers["X-Subject-Token"])
        http.headers["OpenStack-API-Version"] = "compute 2.90"
        return http

    def _run(self, name: str, *words: str) -> None:
        with (self.state / f"{name}.out").open("wb") as out:
            self.running[name] = subprocess.Popen(
                [sys.executable, *words], cwd=ROOT, env=self.environment, stdout=out, stderr=out
            )

    def _answers(self) -> bool:
        assert self.running["web"].poll() is None, (self.state / "web.out").read_text()[-4000:]
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/identity/v3").status_code == 200
        except httpx.TransportError:
            return False


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    servers = Servers()
    try:
        servers.start_postgresql()
        servers.start_redis()
        yield servers
    finally:
        servers.stop()


@pytest.fixture(scope="module")
def parts(servers: Servers) -> Iterator[Parts]:
    parts = Parts(servers)
    try:
        parts.start()
        yield parts
    finally:
        parts.stop()


@pytest.fixture
def unblocked(django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


def test_a_session_that_cannot_write_is_given_up_and_the_next_one_finds_the_server_that_can(parts, servers, unblocked):
    connection: Any = ConnectionHandler({"default": database(servers.several_url)})["default"]

    def write() -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE compute_service SET version = version")

    def be_primary(truth: bool) -> None:
        """As a server that was asked to become a standby, the first one takes no writes any more."""
        with servers.ask("postgresql") as first:
            first.execute(f"ALTER SYSTEM SET default_transaction_read_only = {'off' if truth else 'on'}")
            first.execute("SELECT pg_reload_conf()")
            wanted = ("off" if truth else "on",)
            wait_for("the setting", lambda: first.execute("SHOW default_transaction_read_only").fetchone() == wanted)

    write()
    assert connection.connection.info.port == servers.port("postgresql")  # though the standby is named first
    first = connection.connection
    connection.close_if_unusable_or_obsolete()
    write()  # as at the begin of a request, in whose middle it happens
    assert connection.connection is first

    be_primary(False)
    try:
        wait_for("the session to hear of it", lambda: first.execute("SHOW transaction_read_only").fetchone() == ("on",))
        with pytest.raises(InternalError, match="in a read-only transaction"):
            write()
        connection.close_if_unusable_or_obsolete()
        assert connection.connection is None
        with pytest.raises(OperationalError, match="session is read-only"):
            write()
    finally:
        be_primary(True)
    write()
    connection.close()


def prepared(http: httpx.Client) -> str:
    """Return the id of an image, in a project without limits."""
    image = str(
        http.post("/image/v2/images", json={"name": "blank", "disk_format": "raw", "container_format": "bare"}).json()["id"]
    )
    octets = {"Content-Type": "application/octet-stream"}
    assert http.put(f"/image/v2/images/{image}/file", content=b"0" * 512, headers=octets).status_code == 204
    project = http.get("/identity/v3/auth/projects").json()["projects"][0]["id"]
    unlimited = {"quota_set": dict.fromkeys(("instances", "cores", "ram"), -1)}
    assert http.put(f"/compute/v2.1/os-quota-sets/{project}", json=unlimited).status_code == 200
    return image


def test_the_primary_dies_and_the_standby_takes_over(parts, servers):
    http = parts.client()
    image = prepared(http)
    enough = threading.Event()
    answers: list[tuple[float, httpx.Response]] = []

    def write(writer: int) -> None:
        number = 0
        while not enough.is_set():
            number += 1
            wish = {"name": f"w-{writer}-{number}", "imageRef": image, "flavorRef": "1", "networks": "none"}
            began = time.monotonic()
            answer = http.post("/compute/v2.1/servers", json={"server": wish})
            answers.append((began, answer))
            enough.wait(0.02 if answer.status_code == 202 else 0.2)

    def accepted(since: float = 0.0) -> list[str]:
        return [
            answer.json()["server"]["id"] for began, answer in list(answers) if answer.status_code == 202 and began >= since
        ]

    with ThreadPoolExecutor(WRITERS) as pool:
        writers = [pool.submit(write, writer) for writer in range(WRITERS)]
        try:
            wait_for("requests that were accepted", lambda: len(accepted()) >= 10)
            servers.kill("postgresql")
            wait_for("requests that failed", lambda: any(answer.status_code >= 500 for _began, answer in list(answers)))
            servers.promote()
            promoted = time.monotonic()
            with servers.ask("standby") as connection:
                connection.execute(
                    "INSERT INTO core_outboxmessage (queue, actor, payload, created_at) VALUES ('q', 'a', '{}', now() - interval '1 minute')"
                )
            wait_for("requests that are accepted again", lambda: len(accepted(promoted)) >= 10)
        finally:
            enough.set()
    for writer in writers:
        writer.result()

    failed = [answer for _began, answer in answers if answer.status_code != 202]
    assert {answer.status_code for answer in failed} <= {500, 503}
    assert all("message" in next(iter(answer.json().values())) for answer in failed)

    def states() -> dict[str, str]:
        listed = http.get("/compute/v2.1/servers/detail?limit=1000").json()["servers"]
        return {server["id"]: server["status"] for server in listed}

    assert set(accepted()) <= states().keys()
    wait_for("the conductor's word on each", lambda: {states()[server_id] for server_id in accepted()} == {"ERROR"})
    print(f"{len(accepted())} accepted, {len(failed)} refused")
    with servers.ask("standby") as connection:
        waiting = "SELECT 1 FROM core_outboxmessage WHERE queue = 'q'"
        wait_for("the conductor's clock", lambda: connection.execute(waiting).fetchone() is None)
    assert {name: process.poll() for name, process in parts.running.items()} == {"web": None, "conductor": None}
