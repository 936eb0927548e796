"""One process that the supervisor keeps running. Imports little: see `supervisor`."""

import errno
import os
import signal
import time

from deploy.launcher.backoff import Backoff

_ROTATE_BYTES = 20 * 1024 * 1024
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class Child:
    """A process, how to start it, and when to start it again."""

    __slots__ = (
        "argv",
        "backoff",
        "cwd",
        "due",
        "env",
        "last_exit",
        "log",
        "name",
        "pid",
        "restarts",
        "since",
        "socket",
        "stage",
    )

    def __init__(self, spec: dict[str, object], log_dir: str) -> None:
        self.name = str(spec["name"])
        self.argv: list[str] = list(spec["argv"])  # type: ignore[call-overload]
        self.env: dict[str, str] = dict(spec["env"])  # type: ignore[call-overload]
        self.cwd = str(spec["cwd"])
        self.stage = int(spec["stage"])  # type: ignore[call-overload]
        self.socket = str(spec["socket"]) if spec.get("socket") else None
        self.log = os.path.join(log_dir, f"{self.name}.log")
        self.pid = self.restarts = 0
        self.since = 0.0
        self.due: float | None = None
        self.last_exit: str | None = None
        self.backoff = Backoff()

    def start(self) -> None:
        """Start the process in a process group of its own, its output appended to its log."""
        self.due, self.since = None, time.time()
        log = open_log(self.log)
        self.pid = os.fork()
        if self.pid == 0:
            self._become(log)
        os.close(log)

    def ended(self, status: int) -> None:
        """Note the end, take away what is left of the group, and set when to start again."""
        code = os.waitstatus_to_exitcode(status)
        self.last_exit = f"signal {-code}" if code < 0 else f"exit code {code}"
        self.kill(signal.SIGKILL)
        self.pid = 0
        self.restarts += 1
        self.due = time.monotonic() + self.backoff.after(time.time() - self.since)

    def kill(self, number: int) -> None:
        """Send a signal to the whole group."""
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return

    def _become(self, log: int) -> None:
        try:
            os.setpgid(0, 0)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.chdir(self.cwd)
            os.execvpe(self.argv[0], self.argv, self.env)  # noqa: S606
        except OSError as error:
            os.write(2, f"{self.argv[0]} does not start: {error}\n".encode())
        finally:
            os._exit(127)


def shorten(path: str) -> None:
    """Put aside what a running process wrote to its log, if that is much.

    The process goes on with the same file, to whose end it writes; a line that comes between copy and cut is lost.
    """
    try:
        if os.stat(path, follow_symlinks=False).st_size <= _ROTATE_BYTES:
            return
        with open(path, "rb+", buffering=0) as log:
            aside = os.open(path + ".1", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o640)
            try:
                while os.sendfile(aside, log.fileno(), None, 1 << 24):  # type: ignore[arg-type]
                    pass
            finally:
                os.close(aside)
            log.truncate(0)
    except OSError:
        return  # a full disk: the next look tries again


def open_log(path: str) -> int:
    """Return a descriptor that appends to the log, or leads nowhere while there is no room for one; a large log is put aside first."""
    try:
        if os.stat(path).st_size > _ROTATE_BYTES:
            os.replace(path, path + ".1")
    except OSError:
        pass  # there is none yet
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o640)
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        return os.open(os.devnull, os.O_WRONLY)
