"""How long from POST /servers until the server is ACTIVE: one at a time, and many at once.

Without arguments it starts a cloud of its own on the fake driver (private queue, SQLite, web, conductor, one worker) and measures
it over HTTP. With ``--url`` and ``--token`` it measures a cloud that runs: ``./nebulet up`` with ``NEBULET_DRIVER=fake``, say.

    python benchmarks/build_latency.py
    python benchmarks/build_latency.py --url http://127.0.0.1:8000 --token $TOKEN --image $IMAGE --flavor 84
"""

import argparse
import os
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
SINGLE_TARGET_MS = 100
MANY_TARGET_S = 3.0
POLL_S = 0.002


@dataclass
class Target:
    """A cloud to measure, with a token that may create servers."""

    url: str
    token: str
    image: str
    flavor: str

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"X-Auth-Token": self.token}, timeout=60)


def main() -> int:
    """Measure, print, and return 0 when both targets are met."""
    options = _options()
    if options.url:
        target = Target(options.url.rstrip("/"), options.token, options.image, options.flavor)
        return report(target, options)
    with own_cloud(options.flavor) as target:
        return report(target, options)


def report(target: Target, options: argparse.Namespace) -> int:
    with target.client() as http:
        for _ in range(3):
            delete(http, [single(http, target)[0]])
        singles = []
        for _ in range(options.singles):
            server_id, took = single(http, target)
            singles.append(took * 1000)
            delete(http, [server_id])
    median = statistics.median(singles)
    print(f"one at a time, {len(singles)} times: median {median:.0f} ms, worst {max(singles):.0f} ms until ACTIVE")
    took, posted = many(target, options.many)
    print(f"{options.many} at once: all accepted after {posted:.2f} s, all ACTIVE after {took:.2f} s")
    met = median <= SINGLE_TARGET_MS and took <= MANY_TARGET_S
    print(f"targets (median {SINGLE_TARGET_MS} ms, 50 at once {MANY_TARGET_S:.0f} s): {'met' if met else 'MISSED'}")
    return 0 if met else 1


def single(http: httpx.Client, target: Target) -> tuple[str, float]:
    """Return a new server's id and the seconds until it was ACTIVE."""
    began = time.perf_counter()
    server_id = create(http, target, "one")
    while (server := show(http, server_id))["status"] != "ACTIVE":
        if server["status"] == "ERROR":
            raise SystemExit(f"{server_id} went to ERROR: {server.get('fault')}")
        time.sleep(POLL_S)
    return server_id, time.perf_counter() - began


def many(target: Target, number: int) -> tuple[float, float]:
    """Return the seconds until ``number`` servers, asked for at once, were all ACTIVE, and until all were accepted."""
    with target.client() as http, ThreadPoolExecutor(8) as pool:
        clients = [target.client() for _ in range(8)]
        began = time.perf_counter()
        ids = list(pool.map(lambda n: create(clients[n % 8], target, f"many-{n}"), range(number)))
        posted = time.perf_counter() - began
        while True:
            servers = http.get("/compute/v2.1/servers/detail", params={"limit": 1000}).json()["servers"]
            states = [server["status"] for server in servers if server["id"] in set(ids)]
            if states.count("ACTIVE") == number:
                break
            if "ERROR" in states or time.perf_counter() - began > 120:
                raise SystemExit(f"not all became ACTIVE: {states}")
            time.sleep(0.05)
        took = time.perf_counter() - began
        delete(http, ids)
    return took, posted


def create(http: httpx.Client, target: Target, name: str) -> str:
    body = {"server": {"name": name, "imageRef": target.image, "flavorRef": target.flavor, "networks": "auto"}}
    answer = http.post("/compute/v2.1/servers", json=body, headers={"OpenStack-API-Version": "compute 2.37"})
    if answer.status_code != 202:
        raise SystemExit(f"create: {answer.status_code} {answer.text}")
    return str(answer.json()["server"]["id"])


def show(http: httpx.Client, server_id: str) -> dict[str, Any]:
    found: dict[str, Any] = http.get(f"/compute/v2.1/servers/{server_id}").json()["server"]
    return found


def delete(http: httpx.Client, ids: list[str]) -> None:
    for server_id in ids:
        http.delete(f"/compute/v2.1/servers/{server_id}")
    while any(http.get(f"/compute/v2.1/servers/{server_id}").status_code != 404 for server_id in ids):
        time.sleep(0.05)


@contextmanager
def own_cloud(flavor: str) -> Iterator[Target]:
    """A cloud on the fake driver, gone afterwards."""
    state = Path(tempfile.mkdtemp(prefix="nebulet-bench-"))
    for folder in ("secrets", "db", "images", "run", "log", "instances", "queue"):
        (state / folder).mkdir(mode=0o700)
    for name in ("secret-key", "queue-key", "admin-password", "demo-password"):
        (state / "secrets" / name).write_text(secrets.token_urlsafe(32))
    env = environment(state)
    manage = [sys.executable, str(ROOT / "manage.py")]
    processes: list[subprocess.Popen[bytes]] = []

    def start(name: str, *argv: str) -> None:
        log = (state / "log" / f"{name}.log").open("wb")
        processes.append(subprocess.Popen(argv, cwd=ROOT, env=env, stdout=log, stderr=log))

    try:
        server = shutil.which("valkey-server") or shutil.which("redis-server") or "valkey-server"
        start(
            "queue", server, "--port", "0", "--unixsocket", f"{state}/run/queue.sock", "--save", "", "--dir", f"{state}/queue"
        )
        for words in (["migrate", "-v0"], ["seed"]):
            subprocess.run([*manage, *words], cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL)
        port = env["NEBULET_PORT"]
        web = ["-m", "uvicorn", "portal.asgi:application", "--host", "127.0.0.1", "--port", port, "--no-access-log"]
        start("web", sys.executable, *web)
        start("conductor", *manage, "conductor")
        start("compute", sys.executable, "-m", "compute.worker")
        yield prepared(f"http://127.0.0.1:{port}", state, flavor)
    except BaseException:
        for path in sorted((state / "log").glob("*.log")):
            print(f"--- {path.name}\n{path.read_text(errors='replace')[-2500:]}", file=sys.stderr)
        raise
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            process.wait(10)
        shutil.rmtree(state, ignore_errors=True)


def environment(state: Path) -> dict[str, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NEBULET_", "DJANGO_"))}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "portal.settings.prod",
        "NEBULET_STATE_DIR": str(state),
        "NEBULET_PORT": str(port),
        "NEBULET_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "NEBULET_DRIVER": "fake",
        "NEBULET_HOST": "bench",
        "NEBULET_NETWORK_CIDR": "10.180.0.0/22",
    }


def prepared(url: str, state: Path, flavor: str) -> Target:
    """Return the cloud once it is ready, with room in the quota and one image."""
    deadline = time.monotonic() + 60
    while True:
        try:
            if httpx.get(f"{url}/healthz").status_code == 200:
                break
        except httpx.HTTPError:
            pass
        if time.monotonic() > deadline:
            raise SystemExit("the cloud did not become ready")
        time.sleep(0.2)
    token, project = sign_in(url, (state / "secrets" / "admin-password").read_text())
    with httpx.Client(base_url=url, headers={"X-Auth-Token": token}, timeout=60) as http:
        quota = {"quota_set": {"instances": -1, "cores": -1, "ram": -1}}
        assert http.put(f"/compute/v2.1/os-quota-sets/{project}", json=quota).status_code == 200
        record = {"name": "bench", "disk_format": "raw", "container_format": "bare"}
        image = http.post("/image/v2/images", json=record).json()["id"]
        headers = {"Content-Type": "application/octet-stream"}
        stored = http.put(f"/image/v2/images/{image}/file", content=bytes(65536), headers=headers)
        assert stored.status_code == 204, stored.text
    return Target(url, token, image, flavor)


def sign_in(url: str, password: str) -> tuple[str, str]:
    user = {"name": "admin", "domain": {"id": "default"}, "password": password}
    scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    answer = httpx.post(f"{url}/identity/v3/auth/tokens", json=body)
    assert answer.status_code == 201, answer.text
    return answer.headers["X-Subject-Token"], answer.json()["token"]["project"]["id"]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url")
    parser.add_argument("--token")
    parser.add_argument("--image")
    parser.add_argument("--flavor", default="42")
    parser.add_argument("--singles", type=int, default=20)
    parser.add_argument("--many", type=int, default=50)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
