"""`./nebulet test`: installs what tests need and runs pytest, away from any installation."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.launcher import bundle, hypervisor, packages, venv
from deploy.launcher.config import Config
from deploy.launcher.preconditions import closed_folder
from deploy.launcher.terminal import Terminal

_BY_FILE = ["--dist", "loadfile"]
# Of three tests, one waits for something.
_AT_ONCE = str(max(1, (os.cpu_count() or 1) * 3 // 2))
_FAST = ["-m", "not real", "-n", _AT_ONCE, *_BY_FILE]
# In the order of their names, OpenStack's own tests begin: the long ones, which should not be the last.
_REAL = ["-m", "real or hypervisor", "-n", _AT_ONCE, *_BY_FILE, "--no-loadscope-reorder"]


def run(config: Config, options: argparse.Namespace) -> int:
    """Run the tests; return pytest's exit code. Its summary is the last line printed.

    First those that need no machine of their own, then those that drive a browser, a client, servers or guests; each in several processes.
    Those that are named run in one process.
    """
    terminal = Terminal()
    _install(config, terminal, fast=options.fast)
    state_dir = _state_dir()
    try:
        return max(
            subprocess.run(
                [config.python, "-m", "pytest", "--durations=10", *words, *options.pytest],
                cwd=config.checkout,
                env=_environment(config, state_dir),
                check=False,
            ).returncode
            for words in _rounds(options)
        )
    finally:
        shutil.rmtree(state_dir, ignore_errors=True)


def _rounds(options: argparse.Namespace) -> list[list[str]]:
    """Return what pytest is told in each of its runs."""
    if options.pytest:
        return [["-m", "not real"] if options.fast else []]
    return [_FAST] if options.fast else [_FAST, _REAL]


def _install(config: Config, terminal: Terminal, *, fast: bool) -> None:
    with terminal.step("system packages") as step:
        step.note = packages.ensure(packages.for_tests(fast=fast), start=False)
    with terminal.step("requirements") as step:
        step.note = venv.ensure(config, dev=True, mariadb=not fast)
    with terminal.step("browser bundle") as step:
        step.note = bundle.ensure(config)
    if not fast and os.geteuid() == 0:
        with terminal.step("libvirt") as step:
            step.note = ", ".join(filter(None, [hypervisor.mend_kvm(), hypervisor.ensure_libvirt()]))


def _state_dir() -> Path:
    """Make a fresh folder that QEMU can enter."""
    for parent in ("/var/tmp", "/tmp"):
        if os.access(parent, os.W_OK | os.X_OK) and closed_folder(Path(parent)) is None:
            break
    folder = Path(tempfile.mkdtemp(prefix="nebulet-test-", dir=parent))
    folder.chmod(0o711)
    (folder / "db").mkdir()
    return folder


def _environment(config: Config, state_dir: Path) -> dict[str, str]:
    """Return our environment without anything that would lead tests to a running installation.

    Each process compiles all tests and all code where it may not keep what it compiled, so it may in a checkout of our own.
    """
    kept = {key: value for key, value in os.environ.items() if key not in config.environ and not key.startswith("OS_")}
    if not sys.dont_write_bytecode:
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "NEBULET_STATE_DIR": str(state_dir), "DJANGO_SETTINGS_MODULE": "portal.settings.test"}
