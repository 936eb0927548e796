"""A cloud that is up, for the benchmarks that need one; the benchmark must be root on its machine. Those of consoles want a fake driver:

``NEBULET_STATE_DIR=/tmp/bench NEBULET_DRIVER=fake ./nebulet up --detach`` starts one.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
TICKS = 100


class RunningCloud:
    """Its address, its state folder, and the few calls that are needed."""

    def __init__(self, state: Path, user: str = "demo") -> None:
        report = json.loads(subprocess.run([ROOT / "nebulet", "status", "--json"], capture_output=True, check=True).stdout)
        self.state = state
        self.user = user
        self.url = str(report["address"]).rstrip("/")
        self.pids = {str(row["name"]): int(row["pid"]) for row in report["processes"]}
        self.password = (state / "secrets" / f"{user}-password").read_text().strip()
        self.http = httpx.Client(base_url=self.url, headers={"X-Auth-Token": self._token()}, timeout=60)

    def _token(self) -> str:
        user = {"name": self.user, "domain": {"id": "default"}, "password": self.password}
        scope = {"project": {"name": self.user, "domain": {"id": "default"}}}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
        answer = httpx.post(f"{self.url}/identity/v3/auth/tokens", json=body)
        answer.raise_for_status()
        return str(answer.headers["X-Subject-Token"])

    def session(self) -> str:
        """Return the cookies of a new session of the pages, as a header."""
        with httpx.Client(base_url=self.url) as browser:
            browser.get("/account/sign-in/")
            name = next(name for name in browser.cookies if "csrf" in name)
            form = {"csrfmiddlewaretoken": browser.cookies[name], "name": self.user, "password": self.password}
            browser.post("/account/sign-in/", data=form, headers={"Origin": self.url})
            return "; ".join(f"{key}={value}" for key, value in browser.cookies.items())

    def create(self, name: str, image: str) -> str:
        """Ask for a server of the smallest flavor that boots the tiny image; return its id."""
        body = {"server": {"name": name, "flavorRef": "84", "imageRef": image, "networks": "auto"}}
        answer = self.http.post("/compute/v2.1/servers", json=body, headers={"OpenStack-API-Version": "compute 2.37"})
        answer.raise_for_status()
        return str(answer.json()["server"]["id"])

    @contextmanager
    def server(self) -> Iterator[str]:
        """A server that runs meanwhile."""
        server_id = self.create("bench", self.http.get("/image/v2/images").json()["images"][0]["id"])
        while self.http.get(f"/compute/v2.1/servers/{server_id}").json()["server"]["status"] != "ACTIVE":
            time.sleep(0.1)
        try:
            yield server_id
        finally:
            self.http.delete(f"/compute/v2.1/servers/{server_id}")

    def console(self, server_id: str) -> Any:
        """Return the token of a new access to the server's screen."""
        body = {"os-getVNCConsole": {"type": "novnc"}}
        url = self.http.post(f"/compute/v2.1/servers/{server_id}/action", json=body).json()["console"]["url"]
        return url.partition("token%3D")[2]


def cpu_s(pid: int) -> float:
    """Return how long a process has used a processor."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
