"""Runs the programs a build needs: the host's, or those of packages that were only unpacked."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from images.builder.errors import BuildError

# Ordinary users often lack the last two, where mke2fs lives.
_SEARCH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


def find(program: str, *, package: str) -> str:
    """The program's path on this host, or a sentence that names the package to install."""
    found = shutil.which(program, path=_SEARCH)
    if found is None:
        raise BuildError(f"The program {program} is missing: install the package {package}.")
    return found


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    path_first: Path | None = None,
    stdin: bytes | None = None,
) -> str:
    """The program's output as text."""
    return run_bytes(command, cwd=cwd, path_first=path_first, stdin=stdin).decode(errors="replace")


def run_bytes(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    path_first: Path | None = None,
    stdin: bytes | None = None,
) -> bytes:
    """The program's output. A failure becomes a BuildError that quotes the program's own reason."""
    search = _SEARCH if path_first is None else f"{path_first}{os.pathsep}{_SEARCH}"
    environment = {**os.environ, "PATH": search, "LC_ALL": "C", "MTOOLS_SKIP_CHECK": "1"}
    arguments = [str(part) for part in command]
    try:
        done = subprocess.run(arguments, cwd=cwd, env=environment, input=stdin, capture_output=True, check=False)
    except OSError as error:
        raise BuildError(f"{arguments[0]} does not start: {error.strerror}.") from error
    if done.returncode != 0:
        raise BuildError(f"{Path(arguments[0]).name} failed: {_reason(done.stderr, done.stdout)}")
    return done.stdout


def _reason(stderr: bytes, stdout: bytes) -> str:
    lines = [line.strip() for line in (stderr or stdout).decode(errors="replace").splitlines() if line.strip()]
    errors = [line.removeprefix("E:").strip() for line in lines if line.startswith("E:")]
    return (errors or lines[-1:] or ["no message"])[0]
