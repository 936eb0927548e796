"""`./nebulet check`: format, lint, types, imports, migrations, rules."""

import argparse
import os
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deploy.launcher import packages, venv
from deploy.launcher.config import Config
from deploy.launcher.terminal import Terminal

_APPS = ("core", "accounts", "images", "network", "compute")
_STEPS = (
    ("format", ["ruff", "format", "--check", "."]),
    ("lint", ["ruff", "check", "."]),
    ("import contracts", ["lint-imports"]),
    ("Django", ["python", "manage.py", "check"]),
    # by name: without it Django passes over an app that has no folder of migrations
    ("migrations", ["python", "manage.py", "makemigrations", "--check", "--dry-run", *_APPS]),
    ("rules", ["python", "manage.py", "check_policy"]),
    ("types", ["mypy"]),
)


@dataclass(frozen=True)
class _Outcome:
    good: bool
    seconds: float
    output: str


def run(config: Config, options: argparse.Namespace) -> int:
    """Run all checks, two at a time, even if one fails; return 1 if any did."""
    terminal = Terminal()
    with terminal.step("system packages") as step:
        step.note = packages.ensure(packages.BUILD)
    with terminal.step("requirements") as step:
        step.note = venv.ensure(config, dev=True)
    good = True
    with tempfile.TemporaryDirectory(prefix="nebulet-check-") as folder, ThreadPoolExecutor(max_workers=2) as pool:
        (Path(folder) / "db").mkdir()
        outcomes = pool.map(lambda item: _run(config, folder, item[1]), _STEPS)
        for (label, _), outcome in zip(_STEPS, outcomes, strict=True):
            terminal.result(label=label, good=outcome.good, seconds=outcome.seconds)
            if not outcome.good:
                terminal.line(outcome.output.rstrip())
                good = False
    return 0 if good else 1


def _run(config: Config, state_dir: str, command: list[str]) -> _Outcome:
    started = time.monotonic()
    environment = {
        **{key: value for key, value in os.environ.items() if key not in config.environ},
        "NEBULET_STATE_DIR": state_dir,
        "DJANGO_SETTINGS_MODULE": "portal.settings.test",
        "PATH": f"{config.venv / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }
    done = subprocess.run(
        [str(config.venv / "bin" / command[0]), *command[1:]],
        cwd=config.checkout,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return _Outcome(done.returncode == 0, time.monotonic() - started, done.stdout)
