"""A program in a child that can do little: it may use so much time, memory and disk, has no network, and owns nothing here.

What the child works on is handed over as open files; of all others it reads the machine's programs and libraries alone. Root's
child runs as ``nobody``; the service user's child keeps that user, since only root can become somebody else.
"""

import contextlib
import logging
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LOG = logging.getLogger(__name__)

NOBODY = 65534
_POLL_S = 0.02
_SAID_BYTES = 8192
_CONFINE = Path(__file__).with_name("confine.py")
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin", "LC_ALL": "C", "MALLOC_ARENA_MAX": "2"}


class ChildError(Exception):
    """The program is missing, was stopped, or said no; the text is a sentence."""


@dataclass(frozen=True)
class Limits:
    """What a child may use. ``file_bytes`` bounds the place at which it may write to any file."""

    file_bytes: int
    seconds: int = 3600
    cpu_seconds: int = 1800
    memory_bytes: int = 2 << 30

    def by_name(self) -> dict[str, int]:
        """Return the limits as setrlimit(2) calls them."""
        named = {"AS": self.memory_bytes, "CPU": self.cpu_seconds, "FSIZE": self.file_bytes}
        return {**named, "CORE": 0, "NOFILE": 64}


def run(
    command: Sequence[str],
    *,
    limits: Limits,
    files: Sequence[int] = (),
    readable: Sequence[str] = (),
    still_wanted: Callable[[], None] | None = None,
) -> str:
    """Return what a command printed; raises ChildError.

    ``files`` are open files that the child inherits, all others it does not; ``readable`` are places it may read besides the
    machine's own. ``still_wanted`` is called all the while; when it raises, the child is killed.
    """
    LOG.debug("Running cmd: %s", " ".join(command))
    _warn_once()
    wishes = [f"limit={name}:{amount}" for name, amount in limits.by_name().items()]
    wishes += [f"file={descriptor}" for descriptor in files] + [f"readable={place}" for place in readable]
    whole = [*_confined(wishes), *command]
    try:
        process = subprocess.Popen(
            whole,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_ENVIRONMENT,
            cwd="/",
            pass_fds=tuple(files),
            start_new_session=True,
        )
    except OSError as error:
        raise ChildError(f"{command[0]} cannot be started: {error.strerror}.") from error
    try:
        said = _wait(process, limits, still_wanted)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    if process.returncode == 0:
        return said
    raise ChildError(_reason(command[0], process.returncode, said, limits))


@contextlib.contextmanager
def lent(path: Path, flags: int) -> Iterator[int]:
    """Open a file for a child and let the child's user have it for the while."""
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    before = os.fstat(descriptor)
    lend = os.geteuid() == 0
    try:
        if lend:
            os.fchown(descriptor, *_nobody())
        yield descriptor
    finally:
        if lend:
            os.fchown(descriptor, before.st_uid, before.st_gid)
        os.close(descriptor)


def named(descriptor: int) -> str:
    """Return the name under which a child opens a file that it inherited."""
    return f"/proc/self/fd/{descriptor}"


def _wait(process: "subprocess.Popen[bytes]", limits: Limits, still_wanted: Callable[[], None] | None) -> str:
    end = time.monotonic() + limits.seconds
    while True:
        try:
            said, _nothing = process.communicate(timeout=_POLL_S)
            return said[-_SAID_BYTES:].decode(errors="replace").strip()
        except subprocess.TimeoutExpired:
            if still_wanted is not None:
                still_wanted()
            if time.monotonic() > end:
                raise ChildError(f"It took longer than {limits.seconds} seconds and was stopped.") from None


def _reason(program: str, code: int, said: str, limits: Limits) -> str:
    if "No space left on device" in said:
        return "The disk of this host is full."
    if code in (-25, 128 + 25) or "File too large" in said:
        return f"It wanted to write more than the {limits.file_bytes} bytes that it may."
    if code in (-24, 128 + 24):
        return f"It used more than {limits.cpu_seconds} seconds of processor time and was stopped."
    if not said:
        return f"{program} ended with exit code {code}."
    if said.splitlines()[-1].startswith("FileNotFoundError"):
        return f"{program} is not installed on this host."
    return said.splitlines()[-1].removeprefix(f"{program}: ")


@cache
def _warn_once() -> None:
    """Say what this machine does not allow to take away."""
    command = _confined(["report=yes"])
    done = subprocess.run(command, env=_ENVIRONMENT, capture_output=True, text=True, check=False)
    missing = done.stdout if done.returncode == 0 else "anything"
    if missing:
        LOG.warning("Children that read images cannot be kept from %s on this machine", missing)


def _confined(wishes: list[str]) -> list[str]:
    """Return the words before a command that confine it; root's child becomes nobody."""
    user = ["user={}:{}".format(*_nobody())] if os.geteuid() == 0 else []
    return [sys.executable, "-I", "-S", str(_CONFINE), *user, *wishes, "--"]


def _nobody() -> tuple[int, int]:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return NOBODY, NOBODY
    return entry.pw_uid, entry.pw_gid
