"""What every pretended cloud of a test run begins with: a database, static files and images, made once for all its processes."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.kit.machine import held

_COPIED = ("db", "secrets", "stamps", "images")
_LINKED = ("cache", "static")  # files there are replaced, never written to


def fill(state: Path, make: Callable[[], Path]) -> None:
    """Fill an empty state folder from the template of this test run; the first caller has ``make`` set up one.

    Where the run has no folder of its own to keep it in, nothing is done.
    """
    if "NEBULET_STATE_DIR" not in os.environ:
        return
    run = Path(os.environ["NEBULET_STATE_DIR"])
    if run.name == os.environ.get("PYTEST_XDIST_WORKER"):
        run = run.parent
    kept = run / "template"
    with held(kept.with_suffix(".lock")):
        if not kept.exists():
            make().rename(kept)
    for names, how in ((_COPIED, "-a"), (_LINKED, "-al")):
        subprocess.run(["cp", how, *(kept / name for name in names), state], check=True)
