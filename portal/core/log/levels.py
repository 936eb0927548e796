"""How much is logged, and the switch that changes it while the process runs.

Debug is for our own loggers alone: what a library writes at that level, nobody has looked through for secrets. The switch is a file:
while it is there, debug is on. Each piece of work looks at it when it begins, at most once a second, so an idle process wakes for nothing.
"""

import logging
import os
import time
from pathlib import Path

OURS = ("portal", "accounts", "images", "compute", "nebulet")
LOOK_EVERY_S = 1.0

_QUIET = dict.fromkeys(
    ("asyncio", "urllib3", "pika", "oslo_policy", "httpx", "uvicorn", "dramatiq.worker", "botocore"), logging.WARNING
)
_QUIET["django.request"] = logging.ERROR  # refusals are in the access log


class _Levels:
    always = False
    switch: str | None = None
    debug: bool | None = False
    due = 0.0


_now = _Levels()


def start(*, debug: bool, switch: Path | None) -> None:
    """Set every logger's level; ``debug`` holds whatever the switch says."""
    logging.getLogger().setLevel(logging.INFO)
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(level)
    _now.always, _now.switch = debug, str(switch) if switch else None
    _now.debug, _now.due = None, 0.0
    refresh()


def refresh() -> None:
    """Follow the switch, if it is time to look."""
    if time.monotonic() < _now.due:
        return
    _now.due = time.monotonic() + LOOK_EVERY_S if _now.switch else float("inf")
    debug = _now.always or (_now.switch is not None and os.path.exists(_now.switch))
    if debug != _now.debug:
        _now.debug = debug
        for name in OURS:
            logging.getLogger(name).setLevel(logging.DEBUG if debug else logging.NOTSET)
