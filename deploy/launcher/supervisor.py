"""Keeps the processes running: starts them in order, restarts what ends, ends them all when told.

Runs for months, so it sleeps in one system call until a child ends, a signal comes or a log is to be looked at, and imports as little as it can:
no pathlib, no dataclasses, no typing.
"""

import fcntl
import json
import os
import signal
import socket
import sys
import time

from deploy.launcher.child import Child, shorten

GRACE_S = 10.0
LOGS_S = 600.0
_SOCKET_S = 5.0
_TELL_AGAIN_S = 1.0
_ENDING = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
_WATCHED = _ENDING | {signal.SIGCHLD}


class Supervisor:
    """One run: from the first process started to the last one ended."""

    def __init__(self, plan: dict[str, object], watcher: int) -> None:
        self._plan = plan
        self._run_dir = str(plan["run_dir"])
        self._watcher = watcher
        specs: list[dict[str, object]] = plan["processes"]  # type: ignore[assignment]
        self._children = [Child(spec, str(plan["log_dir"])) for spec in specs]
        self._stages = sorted({child.stage for child in self._children})
        self._since = time.time()
        self._ending = False
        self._look_at_logs = time.monotonic() + LOGS_S
        self._tell_again: float | None = None
        self._code = 0

    def run(self) -> int:
        """Keep the processes running until told to end; return the exit code."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
        if not self._watcher:
            self._tell(f"supervisor {os.getpid()} starts {', '.join(child.name for child in self._children)}")
        for stage in self._stages:
            self._start_stage(stage)
        while not self._ending:
            self._wait(self._next_due(), _WATCHED)
            self._start_due()
            self._shorten_logs()
            if self._tell_again is not None and self._tell_again <= time.monotonic():
                self._write_status()
        self._end()
        return self._code

    def _start_stage(self, stage: int) -> None:
        for child in self._children:
            if child.stage == stage and not self._ending:
                child.start()
        self._write_status()
        end = time.monotonic() + _SOCKET_S
        for child in self._children:
            while child.stage == stage and child.socket and not self._ending:
                if _accepts(child.socket) or time.monotonic() > end:
                    break
                self._wait(0.01, _WATCHED)
                self._start_due()

    def _wait(self, timeout_s: float, signals: set[signal.Signals]) -> None:
        info = signal.sigtimedwait(signals, timeout_s)
        if info is None:
            return
        if info.si_signo in _ENDING:
            self._ending = True
        self._reap()

    def _reap(self) -> None:
        changed = False
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            changed = self._note_end(pid, status) or changed
        if changed:
            self._write_status()

    def _note_end(self, pid: int, status: int) -> bool:
        if pid == self._watcher and status != 0:
            # Whoever watches our start gave up: nothing half started is to stay.
            self._ending, self._code = True, 1
        for child in self._children:
            if child.pid == pid:
                child.ended(status)
                if not self._ending:
                    pause = max(0.0, (child.due or 0.0) - time.monotonic())
                    self._tell(f"{child.name} ended with {child.last_exit}; starting it again in {pause:.1f} s")
                return True
        return False

    def _next_due(self) -> float:
        waiting = [child.due for child in self._children if child.due is not None]
        waiting += [self._look_at_logs] if self._tell_again is None else [self._look_at_logs, self._tell_again]
        return max(0.0, min(waiting) - time.monotonic())

    def _shorten_logs(self) -> None:
        if time.monotonic() >= self._look_at_logs:
            self._look_at_logs = time.monotonic() + LOGS_S
            for child in self._children:
                shorten(child.log)

    def _start_due(self) -> None:
        now, started = time.monotonic(), False
        for child in self._children:
            if child.due is not None and child.due <= now and not self._ending:
                child.start()
                started = True
        if started:
            self._write_status()

    def _end(self) -> None:
        self._tell("supervisor ends its processes")
        for stage in reversed(self._stages):
            group = [child for child in self._children if child.stage == stage]
            self._signal(group, signal.SIGTERM)
            end = time.monotonic() + GRACE_S
            while any(child.pid for child in group) and time.monotonic() < end:
                self._wait(max(0.0, end - time.monotonic()), {signal.SIGCHLD})
            self._signal(group, signal.SIGKILL)
        os.unlink(os.path.join(self._run_dir, "supervisor.json"))

    def _signal(self, children: list[Child], number: int) -> None:
        for child in children:
            if child.pid:
                child.kill(number)

    def _write_status(self) -> None:
        """Tell what runs, at once or, while the disk is full, as soon as there is room."""
        self._tell_again = None
        try:
            self._replace_status(json.dumps(self._status()))
        except OSError:
            self._tell_again = time.monotonic() + _TELL_AGAIN_S

    def _status(self) -> dict[str, object]:
        processes = {
            child.name: {
                "pid": child.pid,
                "born": start_ticks(child.pid),
                "since": child.since,
                "restarts": child.restarts,
                "last_exit": child.last_exit,
            }
            for child in self._children
        }
        return {"pid": os.getpid(), "since": self._since, "address": self._plan["address"], "processes": processes}

    def _replace_status(self, text: str) -> None:
        path = os.path.join(self._run_dir, "supervisor.json")
        part = f"{path}.{os.getpid()}.{os.urandom(6).hex()}"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(part, path)
        except OSError:
            os.unlink(part)
            raise

    def _tell(self, text: str) -> None:
        try:
            os.write(1, f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} {text}\n".encode())
        except OSError:
            return  # a full disk is no reason to end anything


def lock(run_dir: str) -> int | None:
    """Take the one place of a supervisor for this state folder; None when another has it."""
    descriptor = os.open(os.path.join(run_dir, "supervisor.pid"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    for _ in range(20):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            time.sleep(0.02)  # `status` holds the lock for a moment when it looks
    else:
        os.close(descriptor)
        return None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor


def end_orphans(run_dir: str) -> None:
    """End what a supervisor that was killed left behind; a number that another process has by now is left alone."""
    path = os.path.join(run_dir, "supervisor.json")
    try:
        if os.stat(path).st_uid != os.geteuid():
            return
        with open(path, encoding="utf-8") as file:
            left = [entry for entry in json.load(file)["processes"].values() if entry["pid"]]
    except (OSError, ValueError, KeyError):
        return
    end = time.monotonic() + GRACE_S
    while any(start_ticks(entry["pid"]) == entry["born"] for entry in left) and time.monotonic() < end:
        time.sleep(0.05)  # each got SIGTERM when its parent died
    for entry in left:
        if start_ticks(entry["pid"]) == entry["born"]:
            os.killpg(entry["pid"], signal.SIGKILL)


def start_ticks(pid: int) -> int:
    """Return when the process was born, in the kernel's ticks: with its number it names one process for ever."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[19])
    except OSError:
        return 0


def _accepts(path: str) -> bool:
    probe = socket.socket(socket.AF_UNIX)
    try:
        probe.connect(path)
    except OSError:
        return False
    finally:
        probe.close()
    return True


def main(arguments: list[str]) -> int:
    """Run `supervise PLAN WATCHER`: the plan is an open descriptor, so nothing of it shows in the list of processes."""
    descriptor, watcher = int(arguments[1]), int(arguments[2])
    with open(descriptor, encoding="utf-8") as file:
        plan = json.load(file)
    held = lock(plan["run_dir"])
    if held is None:
        print(f"Another supervisor runs on {plan['run_dir']}.", file=sys.stderr)
        return 1
    end_orphans(plan["run_dir"])
    return Supervisor(plan, watcher).run()
