"""What every pretended cloud of a test run begins with: a database, static files and images, made once for all its processes."""

import fcntl
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

_COPIED = ("db", "secrets", "stamps", "images")
_LINKED = ("cache", "static")  # files there are replaced, never written to


def fill(state: Path, make: Callable[[], Path]) -> None:
    """Fill an empty state folder from the template of this test run; the first caller has ``make`` set up one.

    Where the run has no folder of its own to keep it in, nothing is done.
    """
    run = os.environ.get("NEBULET_STATE_DIR")
    if run is None:
        return
    kept = Path(run) / "template"
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            make().rename(kept)
    for names, how in ((_COPIED, "-a"), (_LINKED, "-al")):
        subprocess.run(["cp", how, *(kept / name for name in names), state], check=True)
