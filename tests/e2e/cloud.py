"""A whole Nebulet started by ``./nebulet up --detach`` for tests, and what a user does with it."""

import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.e2e import template
from tests.kit import secrecy
from tests.kit.machine import lane
from tests.kit.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
OPENSTACK = Path(sys.executable).with_name("openstack")


_ranges = itertools.count()


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Cloud:
    """One installation with a state folder, port, network and domain names of its own."""

    driver: str = "libvirt"
    port: int = field(default_factory=free_port)
    name: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:6]}")
    state: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="nebulet-e2e-", dir="/var/tmp")))
    extra: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.state.chmod(0o755)
        if self.driver == "libvirt":  # which would find a free range itself, unless another cloud looks at the same time
            self.extra = {"NEBULET_NETWORK_CIDR": f"10.{190 + lane()}.{next(_ranges)}.0/24", **self.extra}
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        kept = {
            k: v
            for k, v in os.environ.items()
            if not k.startswith(("NEBULET_", "OS_", "DJANGO_", "DATABASE_", "BROKER_", "REDIS_"))
        }
        return {
            **kept,
            "NEBULET_STATE_DIR": str(self.state),
            "NEBULET_PORT": str(self.port),
            "NEBULET_NAME": self.name,
            "NEBULET_DRIVER": self.driver,
            "NEBULET_DEBUG": "1",  # all that could ever be logged is searched for secrets
            **self.extra,
        }

    def nebulet(self, *words: str, check: bool = True, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        """Run ``./nebulet …`` for this installation."""
        done = subprocess.run(
            [str(ROOT / "nebulet"), *words],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert not check or done.returncode == 0, f"nebulet {' '.join(words)}\n{done.stdout}\n{done.stderr}\n{self.logs()}"
        return done

    def up(self) -> "Cloud":
        if self.driver == "fake" and "DATABASE_URL" not in self.extra:
            template.fill(self.state, _set_up)
        self.nebulet("up", "--detach")
        return self

    @contextmanager
    def running(self) -> Iterator["Cloud"]:
        """The cloud while it is up; down also when it did not come up."""
        try:
            yield self.up()
        finally:
            self.down()

    def down(self) -> None:
        """Stop it, search its logs for secrets, and take away what it left on the machine."""
        self.nebulet("down", check=False)
        for path in (self.state / "secrets").rglob("*"):
            if path.is_file():
                secrecy.remember(path.read_text().strip())
        secrecy.search_folder(self.state / "log")
        if self.driver == "libvirt":
            self._remove_from_libvirt()
        shutil.rmtree(self.state, ignore_errors=True)

    def _remove_from_libvirt(self) -> None:
        for domain in self.virsh("list", "--all", "--name").split():
            if domain.startswith(f"{self.name}-"):
                self.virsh("destroy", domain, check=False)
                self.virsh("undefine", domain, check=False)
        for network in self.virsh("net-list", "--all", "--name").split():
            if network.startswith(f"{self.name}-"):
                self.virsh("net-destroy", network, check=False)
                self.virsh("net-undefine", network, check=False)
        for table in (("bridge", ""), ("ip", ""), ("ip", "_metadata")):
            name = f"nebulet_{self.name}{table[1]}"
            subprocess.run(["nft", "delete", "table", table[0], name], check=False, capture_output=True)

    def virsh(self, *words: str, check: bool = True) -> str:
        """Return what ``virsh`` prints."""
        return subprocess.run(
            ["virsh", "-q", "-c", "qemu:///system", *words], capture_output=True, text=True, check=check
        ).stdout

    def domains(self) -> list[str]:
        """Return the names of this installation's domains."""
        return [name for name in self.virsh("list", "--all", "--name").split() if name.startswith(f"{self.name}-")]

    def logs(self) -> str:
        """Return the ends of all logs, for a failed test's report."""
        parts = []
        for path in sorted((self.state / "log").rglob("*.log")):
            parts.append(
                f"--- {path.relative_to(self.state)}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-40:])
            )
        return "\n".join(parts)

    def password(self, user: str = "admin") -> str:
        return (self.state / "secrets" / f"{user}-password").read_text().strip()

    def pid(self, process: str) -> int:
        """Return the process id of one of the supervised processes, as soon as it has one."""

        def probe() -> int | None:
            report = json.loads(self.nebulet("status", "--json").stdout)
            return next(row["pid"] for row in report["processes"] if row["name"] == process)

        return int(wait_for(f"a process id of {process}", probe, 30))

    def openstack(self, *words: str, user: str = "demo", project: str | None = None, check: bool = True) -> Any:
        """Run the unmodified client; return its JSON, or its text where it has none."""
        env = {
            **self.environment,
            "OS_AUTH_URL": f"{self.url}/identity/v3",
            "OS_USERNAME": user,
            "OS_PASSWORD": self.password(user),
            "OS_PROJECT_NAME": project or user,
            "OS_USER_DOMAIN_NAME": "Default",
            "OS_PROJECT_DOMAIN_NAME": "Default",
            "OS_IDENTITY_API_VERSION": "3",
        }
        done = subprocess.run([str(OPENSTACK), *words], env=env, capture_output=True, text=True, timeout=180, check=False)
        if not check:
            return done
        assert done.returncode == 0, f"openstack {' '.join(words)}\n{done.stdout}\n{done.stderr}\n{self.logs()}"
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            return done.stdout
        secrecy.remember_in(answer)
        return answer

    def client(self, user: str = "demo", project: str | None = None) -> httpx.Client:
        """Return an HTTP client with a token for the project."""
        body = {
            "auth": {
                "identity": {
                    "methods": ["password"],
                    "password": {"user": {"name": user, "domain": {"id": "default"}, "password": self.password(user)}},
                },
                "scope": {"project": {"name": project or user, "domain": {"id": "default"}}},
            }
        }
        answer = httpx.post(f"{self.url}/identity/v3/auth/tokens", json=body)
        assert answer.status_code == 201, answer.text
        token = secrecy.remember(answer.headers["X-Subject-Token"])
        hooks = {"response": [secrecy.remember_exchange]}
        return httpx.Client(base_url=self.url, headers={"X-Auth-Token": token}, timeout=60, event_hooks=hooks)


def _set_up() -> Path:
    """Return the state folder of a cloud that was up once."""
    cloud = Cloud(driver="fake")
    cloud.nebulet("up", "--detach")
    cloud.nebulet("down")
    return cloud.state


class Api:
    """The few calls that most tests make, over plain HTTP."""

    def __init__(self, cloud: Cloud, user: str = "demo", project: str | None = None) -> None:
        self.cloud = cloud
        self.http = cloud.client(user, project)

    def image_id(self, name: str) -> str:
        found = self.http.get("/image/v2/images", params={"name": name}).json()["images"]
        assert found, f"no image {name}"
        return str(found[0]["id"])

    def create(self, name: str, flavor: str = "84", image: str = "tiny", **fields: Any) -> str:
        body = {"server": {"name": name, "flavorRef": flavor, "imageRef": self.image_id(image), "networks": "auto", **fields}}
        answer = self.http.post("/compute/v2.1/servers", json=body, headers={"OpenStack-API-Version": "compute 2.37"})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["server"]["id"])

    def server(self, server_id: str) -> dict[str, Any]:
        answer = self.http.get(f"/compute/v2.1/servers/{server_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()["server"]
        return found

    def wait(self, server_id: str, status: str = "ACTIVE", seconds: float = 120) -> dict[str, Any]:
        def probe() -> dict[str, Any] | None:
            server = self.server(server_id)
            assert status == "ERROR" or server["status"] != "ERROR", f"{server.get('fault')}\n{self.cloud.logs()}"
            done = server["status"] == status and server["OS-EXT-STS:task_state"] is None
            return server if done else None

        found: dict[str, Any] = wait_for(f"{server_id} {status}", probe, seconds)
        return found

    def act(self, server_id: str, action: str, value: Any = None) -> httpx.Response:
        return self.http.post(f"/compute/v2.1/servers/{server_id}/action", json={action: value})

    def let_in(self, group: str = "default", **rule: Any) -> None:
        """Open this group of the project, or else its default one, to this traffic from everywhere."""
        groups = self.http.get("/network/v2.0/security-groups", params={"name": group}).json()["security_groups"]
        body = {"security_group_rule": {"security_group_id": groups[0]["id"], "direction": "ingress", **rule}}
        answer = self.http.post("/network/v2.0/security-group-rules", json=body)
        assert answer.status_code in (201, 409), answer.text

    def delete(self, server_id: str, seconds: float = 60) -> None:
        assert self.http.delete(f"/compute/v2.1/servers/{server_id}").status_code == 204
        self.wait_gone(server_id, seconds)

    def wait_gone(self, server_id: str, seconds: float = 60) -> None:
        wait_for(f"{server_id} gone", lambda: self.http.get(f"/compute/v2.1/servers/{server_id}").status_code == 404, seconds)

    def log(self, server_id: str) -> str:
        answer = self.act(server_id, "os-getConsoleOutput", {"length": 1000})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["output"])
