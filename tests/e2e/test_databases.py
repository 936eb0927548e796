"""On PostgreSQL and MariaDB the same tests pass as on SQLite, and a whole cloud runs on each."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.e2e.cloud import ROOT, Api, Cloud
from tests.e2e.servers import Servers
from tests.kit.databases import FILES

pytestmark = pytest.mark.real
KINDS = ("postgresql", "mariadb")
LIMIT_S = 1200
HANGS_AFTER_S = 240


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    """The address of an empty database of each kind."""
    servers = Servers()
    try:
        servers.start_postgresql()
        servers.start_mariadb()
        yield {"postgresql": servers.database_url, "mariadb": servers.mariadb_url}
    finally:
        servers.stop()


@dataclass
class Run:
    """Commands of ours on one database, with a state folder that nothing else uses."""

    url: str
    state: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="nebulet-databases-", dir="/var/tmp")))

    def __post_init__(self) -> None:
        (self.state / "db").mkdir()
        self.log = self.state / "pytest.log"

    @property
    def environment(self) -> dict[str, str]:
        own = {
            "DATABASE_URL": self.url,
            "NEBULET_STATE_DIR": str(self.state),
            "DJANGO_SETTINGS_MODULE": "portal.settings.test",
        }
        return os.environ | own

    def manage(self, *words: str) -> None:
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]

    def tests(self) -> subprocess.Popen[bytes]:
        """Begin the tests that run on every database; one that hangs has its stacks in the log."""
        options = ["-q", "-p", "no:cacheprovider", "-o", f"faulthandler_timeout={HANGS_AFTER_S}"]
        command = [sys.executable, "-m", "pytest", *options, *map(str, FILES)]
        with self.log.open("wb") as log:
            return subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=subprocess.STDOUT)


@pytest.fixture(scope="module")
def runs(urls: dict[str, str]) -> Iterator[dict[str, Run]]:
    runs = {kind: Run(urls[kind]) for kind in KINDS}
    yield runs
    for run in runs.values():
        shutil.rmtree(run.state, ignore_errors=True)


@pytest.fixture(scope="module")
def tested(runs: dict[str, Run]) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """The marked tests on all databases at once: that takes little longer than on one."""
    processes = {kind: run.tests() for kind, run in runs.items()}
    yield processes
    for process in processes.values():
        process.kill()
        process.wait()


@pytest.mark.parametrize("kind", KINDS)
def test_the_marked_tests_pass(kind: str, runs: dict[str, Run], tested: dict[str, subprocess.Popen[bytes]]):
    code = None
    with suppress(subprocess.TimeoutExpired):
        code = tested[kind].wait(LIMIT_S)
    lines = runs[kind].log.read_text().splitlines()
    print(f"{kind}: {lines[-1]}")
    assert code == 0, "\n".join(lines[-90:])


@pytest.mark.parametrize("kind", KINDS)
def test_migrations_lead_from_nothing_to_the_models(kind: str, runs: dict[str, Run]):
    run = runs[kind]
    run.manage("migrate", "--verbosity=0")
    run.manage("migrate", "--check")
    run.manage("makemigrations", "--check", "--dry-run", "core", "accounts", "images", "network", "compute")
    run.manage("check", "--database", "default", "--fail-level", "WARNING")


def test_a_cloud_on_mariadb(urls: dict[str, str]):
    """PostgreSQL's is in test_scaled_out.py."""
    cloud = Cloud(driver="fake", extra={"DATABASE_URL": urls["mariadb"]})
    try:
        api = Api(cloud.up())
        http = cloud.client()
        made = http.post("/image/v2/images", json={"name": "blank", "disk_format": "raw", "container_format": "bare"})
        data = {"content": bytes(1 << 20), "headers": {"Content-Type": "application/octet-stream"}}
        assert http.put(f"/image/v2/images/{made.json()['id']}/file", **data).status_code == 204
        with ThreadPoolExecutor(10) as pool:
            ids = list(pool.map(lambda number: api.create(f"many-{number}", image="blank"), range(10)))
            list(pool.map(api.wait, ids))
            list(pool.map(api.delete, ids))
        logs = "".join(path.read_text(errors="replace") for path in (cloud.state / "log").rglob("*.log*"))
        assert "Deadlock" not in logs
        assert cloud.nebulet("manage", "invariants").returncode == 0
        assert not (cloud.state / "db" / "nebulet.sqlite3").exists()
    finally:
        cloud.down()
