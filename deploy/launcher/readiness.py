"""Waits until an installation answers, or says why it does not."""

import http.client
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from deploy.launcher.config import Config
from deploy.launcher.control import log_tail, read_status
from deploy.launcher.errors import LauncherError

TIMEOUT_S = 60.0
_TOO_MANY_RESTARTS = 4
_PAUSE_S = 0.15


def wait(config: Config, alive: Callable[[], bool]) -> None:
    """Return when the web process says ready; LauncherError when the supervisor ends, a process keeps ending, or time is up."""
    end = time.monotonic() + TIMEOUT_S
    while True:
        answer = ask(config)
        if answer == "ready":
            return
        if not alive():
            raise LauncherError(
                "The supervisor ended.", f"less {config.log_dir}/supervisor.log", log_tail(config.log_dir / "supervisor.log")
            )
        _check_restarts(config)
        if time.monotonic() > end:
            log = _log_to_read(config, answer)
            raise LauncherError(f"Nebulet is not ready after {TIMEOUT_S:.0f} s: {answer}.", f"less {log}", log_tail(log))
        time.sleep(_PAUSE_S)


def ask(config: Config) -> str:
    """Return "ready", or why it is not."""
    connection = http.client.HTTPConnection(*config.local_address, timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": f"127.0.0.1:{config.port}"})
        response = connection.getresponse()
        body = response.read(65536)
    except (OSError, http.client.HTTPException) as error:
        return f"the web process does not answer ({error})"
    finally:
        connection.close()
    return _read_answer(response.status, body)


def parent_alive(pid: int) -> Callable[[], bool]:
    """Return a question for a child: is that parent still there?"""
    return lambda: os.getppid() == pid


def _read_answer(status: int, body: bytes) -> str:
    try:
        answer = json.loads(body)
        waiting = ", ".join(answer.get("waiting_for", []))
    except (ValueError, AttributeError, TypeError):
        return f"the web process answers {status}"
    if status == 200 and answer.get("status") == "ready":
        return "ready"
    return f"waiting for {waiting or answer.get('status', 'an answer')}"


def _log_to_read(config: Config, answer: str) -> Path:
    """The log of the process that is waited for."""
    for name in ("compute", "conductor"):
        logs = sorted(config.log_dir.glob(f"{name}*.log"))
        if f"nova-{name}" in answer and logs:
            return logs[0]
    return config.log_dir / "web.log"


def _check_restarts(config: Config) -> None:
    status = read_status(config)
    for process in status.processes if status else ():
        if process.restarts >= _TOO_MANY_RESTARTS:
            log = config.log_dir / f"{process.name}.log"
            raise LauncherError(f"{process.name} keeps ending ({process.last_exit}).", f"less {log}", log_tail(log))
