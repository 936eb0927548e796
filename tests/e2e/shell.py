"""One running ``openstack`` command: loading the client takes longer than any of its commands."""

import json
import shlex
import subprocess
import sys
from typing import Any

from tests.e2e.cloud import ROOT, Cloud
from tests.kit import secrecy


class Shell:
    """One running client, signed in as one user; it speaks one microversion of compute, whatever its commands say."""

    def __init__(
        self, cloud: Cloud, user: str = "admin", project: str = "admin", password: str | None = None, *, compute: str = "2.1"
    ) -> None:
        scope = {"OS_PROJECT_NAME": project, "OS_PROJECT_DOMAIN_NAME": "Default"} if project else {"OS_SYSTEM_SCOPE": "all"}
        environment = {
            **cloud.environment,
            **scope,
            "OS_AUTH_URL": f"{cloud.url}/identity/v3",
            "OS_USERNAME": user,
            "OS_PASSWORD": password or cloud.password(user),
            "OS_USER_DOMAIN_NAME": "Default",
            "OS_IDENTITY_API_VERSION": "3",
            "OS_COMPUTE_API_VERSION": compute,
        }
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests" / "e2e" / "openstack_shell.py")],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, command: str) -> dict[str, Any]:
        """Return code, out and err of one command."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        return dict(json.loads(self.process.stdout.readline()))

    def __call__(self, command: str) -> Any:
        """Run a command that must succeed; return its JSON, or nothing where it prints none."""
        words = shlex.split(command)
        shows = any(verb in words for verb in ("create", "show", "list", "issue")) and "-f" not in words
        done = self.run(f"{command} -f json" if shows else command)
        assert done["code"] == 0, f"openstack {command}\n{done['out']}\n{done['err']}"
        if not shows or not done["out"].strip():
            return done["out"]
        answer = json.loads(done["out"])
        secrecy.remember_in(answer)
        return answer

    def close(self) -> None:
        self.process.communicate(timeout=30)


def names(rows: list[dict[str, Any]], column: str = "Name") -> set[Any]:
    return {row[column] for row in rows}
