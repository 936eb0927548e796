"""Talks about and to the supervisor of a state folder: runs it, does it run, end it."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.launcher.config import Config
from deploy.launcher.errors import LauncherError

_END_S = 30


@dataclass(frozen=True)
class Running:
    """One process that runs, or waits to be started again (pid 0)."""

    name: str
    pid: int
    since: float
    restarts: int
    last_exit: str | None


@dataclass(frozen=True)
class Status:
    """What the supervisor last wrote of itself and its processes."""

    pid: int
    since: float
    address: str
    processes: tuple[Running, ...]


def supervisor_pid(config: Config) -> int | None:
    """Return the supervisor's process id, None when none runs. Whoever holds the lock runs; a file left over does not."""
    try:
        descriptor = os.open(config.run_dir / "supervisor.pid", os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.read(descriptor, 32).decode().strip()
        return int(text) if text.isdecimal() else None
    finally:
        os.close(descriptor)
    return None


def read_status(config: Config) -> Status | None:
    """Return what runs, None when nothing does."""
    pid = supervisor_pid(config)
    if pid is None:
        return None
    try:
        told = json.loads((config.run_dir / "supervisor.json").read_text())
        processes = tuple(
            Running(name, entry["pid"], entry["since"], entry["restarts"], entry["last_exit"])
            for name, entry in told["processes"].items()
        )
    except (OSError, ValueError, KeyError):
        told = {"pid": 0}
    if told["pid"] != pid:
        # It has not written yet; what lies there is of one that was killed.
        return Status(pid, time.time(), config.public_url, ())
    return Status(pid, told["since"], told["address"], processes)


def become_supervisor(config: Config, plan: dict[str, object], *, watcher: int) -> None:
    """Turn this process into the supervisor; does not return."""
    command = _command(config, plan, watcher)
    os.execv(command[0], command)  # noqa: S606


def start_supervisor(config: Config, plan: dict[str, object]) -> subprocess.Popen[bytes]:
    """Start the supervisor as a daemon."""
    command = _command(config, plan, watcher=0)
    with (config.log_dir / "supervisor.log").open("ab") as log:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, close_fds=False, cwd="/"
        )


def _command(config: Config, plan: dict[str, object], watcher: int) -> list[str]:
    descriptor = os.memfd_create("plan", 0)
    os.write(descriptor, json.dumps(plan).encode())
    os.lseek(descriptor, 0, os.SEEK_SET)
    # -I and -S: nothing of the environment or of site-packages is loaded.
    return [sys.executable, "-I", "-S", str(config.checkout / "nebulet"), "supervise", str(descriptor), str(watcher)]


def end_supervisor(config: Config) -> bool:
    """End the supervisor and wait for it; False when none runs."""
    pid = supervisor_pid(config)
    if pid is None:
        return False
    owner = (config.run_dir / "supervisor.pid").lstat().st_uid
    if owner not in (0, os.geteuid()):
        # Root signals no process on the word of a file that someone else wrote.
        raise LauncherError("Another user runs Nebulet here.", f"setpriv --reuid {owner} --clear-groups kill {pid}")
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return False
    except PermissionError as error:
        raise LauncherError("Root runs Nebulet here.", "sudo ./nebulet down") from error
    end = time.monotonic() + _END_S
    while supervisor_pid(config) is not None:
        if time.monotonic() > end:
            raise LauncherError(f"The supervisor (process {pid}) does not end.", f"kill -9 {pid}")
        time.sleep(0.05)
    return True


def log_tail(path: Path, lines: int = 12) -> str:
    """Return the last lines of a log."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 16384))
            return "\n".join(f"    {line}" for line in file.read().decode(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
