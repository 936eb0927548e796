"""Named places in the code at which a test may have a process killed, to see what becomes of what it was doing.

Nothing can be armed unless the environment names a folder (``NEBULET_FAULTS``), which no installation that is used does. A file
there named ``<process>.<point>.<subject>`` kills the process with SIGKILL when it comes to that point with that subject (``any`` for
whichever), once: the file is gone before the process is. A process that runs is armed without a restart. Of several points it dies at once:
whoever comes to one stays there until each of them has been come to. No Django: the compute host reaches points too.
"""

import logging
import os
import signal
import time
from enum import StrEnum
from pathlib import Path

LOG = logging.getLogger(__name__)

ANY = "any"
_LOOK_EVERY_S = 0.02


class Process(StrEnum):
    """Which kind of process comes to a point."""

    WEB = "web"
    CONDUCTOR = "conductor"
    COMPUTE = "compute"


class Point(StrEnum):
    """Every place there is. What the user sees of a death at each stands in docs/developer/interruptions.md."""

    WRITTEN = "written"
    COMMITTED = "committed"
    SENT = "sent"
    ORDERED = "ordered"
    PLACED = "placed"
    ORDER_DONE = "order-done"
    PROGRESS_HEARD = "progress-heard"
    PROGRESS_WRITTEN = "progress-written"
    PROGRESS_DONE = "progress-done"
    OUTCOME_HEARD = "outcome-heard"
    OUTCOME_WRITTEN = "outcome-written"
    OUTCOME_DONE = "outcome-done"
    RECEIVED = "received"
    DISKS_MADE = "disks-made"
    STOPPED = "stopped"
    KEPT = "kept"
    DEFINED = "defined"
    STARTED = "started"
    COPIED = "copied"
    UPLOADED = "uploaded"
    WORKED = "worked"
    NOTED = "noted"
    TOLD = "told"


class _Armoury:
    """Where this process looks, None for nowhere."""

    folder: Path | None = None
    process: Process | None = None


def listen(folder: Path | None, process: Process) -> None:
    """Let points of this process be armed by files in a folder; None, as everywhere but in tests, arms nothing."""
    _Armoury.folder, _Armoury.process = folder, process
    if folder is not None:
        LOG.warning("This process can be killed by files in %s: that is for tests only.", folder)


def arm(folder: Path, process: Process, point: Point, subject: str = ANY) -> Path:
    """For tests: have a process die at a point; the file that is returned is gone when it has."""
    file = folder / f"{process}.{point}.{subject}"
    file.touch()
    return file


def reach(point: Point, subject: str) -> None:
    """Die here if that was asked for; else nothing, at the price of one comparison."""
    if _Armoury.folder is not None and any(_disarm(_Armoury.folder, point, word) for word in (subject, ANY)):
        while any(_Armoury.folder.glob(f"{_Armoury.process}.*")):
            time.sleep(_LOOK_EVERY_S)
        os.kill(os.getpid(), signal.SIGKILL)


def _disarm(folder: Path, point: Point, subject: str) -> bool:
    try:
        (folder / f"{_Armoury.process}.{point}.{subject}").unlink()
    except OSError:
        return False
    return True
