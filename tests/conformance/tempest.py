"""Tempest, OpenStack's own test suite, run unmodified against an installation."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from configparser import RawConfigParser
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.executable).parent
LISTS = Path(__file__).parent
TIMEOUT_S = 1200


@dataclass(frozen=True)
class Outcome:
    """What tempest counted, and what it printed."""

    passed: int
    skipped: int
    failed: int
    output: str


def listed(name: str) -> list[str]:
    """Return the ids of one of our lists of tests."""
    return (LISTS / f"{name}.txt").read_text().split()


def run(
    folder: Path,
    url: str,
    password: str,
    tests: list[str],
    sections: Mapping[str, dict[str, str]] | None = None,
    concurrency: int = 2,
    **refs: str,
) -> Outcome:
    """Run the tests against the installation at ``url``, whose administrator has this password; keep all files in ``folder``.

    ``refs`` are options of tempest's section ``compute``, such as ``image_ref``; ``sections`` are more of its configuration.
    """
    workspace = folder / "tempest"
    environment = _environment(folder)
    _call(["tempest", "init", str(workspace)], folder, environment)
    with (workspace / "etc" / "tempest.conf").open("w") as file:
        configuration = _configuration(url, password, refs)
        configuration.read_dict(sections or {})
        configuration.write(file)
    (folder / "tests.txt").write_text("\n".join(tests))
    done = _call(
        ["tempest", "run", "--load-list", str(folder / "tests.txt"), "--concurrency", str(concurrency)], workspace, environment
    )
    counts = {name: int(count) for name, count in re.findall(r"^ - (\w+): (\d+)$", done, re.MULTILINE)}
    return Outcome(counts.get("Passed", 0), counts.get("Skipped", 0), counts.get("Failed", 0), _faults(done))


def _call(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, str(BIN / command[0]), *command[1:]],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    return done.stdout


def _environment(folder: Path) -> dict[str, str]:
    """Return our environment without what would lead tempest elsewhere, with a home of its own: it keeps a list of workspaces."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "NEBULET_", "DJANGO_"))}
    return {**kept, "HOME": str(folder), "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def _configuration(url: str, password: str, refs: dict[str, str]) -> RawConfigParser:
    sections = {
        "oslo_concurrency": {"lock_path": "locks"},
        "auth": {
            "use_dynamic_credentials": "true",
            "create_isolated_networks": "false",
            "admin_username": "admin",
            "admin_password": password,
            "admin_project_name": "admin",
            "admin_domain_name": "Default",
            "tempest_roles": "member",
        },
        "identity": {"uri_v3": f"{url}/identity/v3", "auth_version": "v3", "region": "RegionOne", "admin_role": "admin"},
        "identity-feature-enabled": {
            "trust": "true",
            "access_rules": "true",
            "security_compliance": "true",
            "immutable_user_source": "false",
            "domain_specific_drivers": "false",
        },
        "service_available": {"nova": "true", "glance": "true", "neutron": "true", "cinder": "false", "swift": "false"},
        # random bytes, which tempest sends only where formats are not enforced, are a true raw image
        "image": {"container_formats": "bare,ovf", "disk_formats": "raw", "image_caching_enabled": "true"},
        "image-feature-enabled": {"os_glance_reserved": "true", "image_format_enforcement": "false"},
        "compute": {"fixed_network_name": "private", "min_microversion": "2.1", "max_microversion": "latest", **refs},
    }
    found = RawConfigParser()
    found.read_dict(sections)
    return found


def _faults(output: str) -> str:
    """Return the names of the tests that did not pass and the end of what was printed."""
    names = re.findall(r"^.* \.\.\. (?:FAILED|SKIPPED.*)$", output, re.MULTILINE)
    return "\n".join([*names, output[-6_000:]])
