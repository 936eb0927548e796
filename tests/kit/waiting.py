"""Waiting for what other threads and processes do."""

import time
from typing import Any


def wait_for(what: str, probe: Any, seconds: float = 60, every: float = 0.2) -> Any:
    """Return the first true answer of ``probe``; fail with ``what`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(every)
