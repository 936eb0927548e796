"""Runs other programs and turns their failure into one sentence."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.launcher.errors import LauncherError

_TAIL = 20


def run(
    command: Sequence[str | Path],
    *,
    failure: str,
    mend: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """Return what the command printed; LauncherError says ``failure``, ``mend`` and the last lines."""
    arguments = [str(part) for part in command]
    try:
        done = subprocess.run(
            arguments,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise LauncherError(f"{failure} ({arguments[0]}: {error.strerror})", mend) from error
    if done.returncode != 0:
        raise LauncherError(failure, mend, tail(done.stdout))
    return done.stdout


def succeeds(command: Sequence[str | Path], *, timeout_s: float = 30, cwd: Path | None = None) -> bool:
    """Whether the command can be run and ends with 0 in time."""
    arguments = [str(part) for part in command]
    try:
        done = subprocess.run(
            arguments, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, cwd=cwd, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def tail(text: str, lines: int = _TAIL) -> str:
    """Return the last lines, each set in a little."""
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines()[-lines:])
