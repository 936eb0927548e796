"""How long ``./nebulet up --detach`` takes: in a clean clone with packages cached, and the second time.

``sudo .venv/bin/python benchmarks/startup.py`` clones this checkout to a temporary folder, starts it with a state folder, port and name
of its own, stops it, starts it again, and takes everything away.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FIRST_TARGET_S, SECOND_TARGET_S = 90, 5


def timed(clone: Path, env: dict[str, str], *words: str) -> float:
    started = time.perf_counter()
    subprocess.run([clone / "nebulet", *words], cwd=clone, env=env, check=True)
    return time.perf_counter() - started


def main() -> int:
    base = Path(tempfile.mkdtemp(prefix="nebulet-startup-", dir="/var/tmp"))
    base.chmod(0o755)
    clone = base / "clone"
    env = {**os.environ, "NEBULET_STATE_DIR": str(base / "state"), "NEBULET_PORT": "8765", "NEBULET_NAME": "bench"}
    try:
        subprocess.run(["git", "clone", "-q", ROOT, clone], check=True)
        first = timed(clone, env, "up", "--detach")
        timed(clone, env, "down")
        second = timed(clone, env, "up", "--detach")
        running = timed(clone, env, "up", "--detach")
        print(f"first up         {first:6.1f} s  ratio to {FIRST_TARGET_S} s: {first / FIRST_TARGET_S:.2f}")
        print(f"second up        {second:6.1f} s  ratio to {SECOND_TARGET_S} s: {second / SECOND_TARGET_S:.2f}")
        print(f"up while running {running:6.1f} s")
    finally:
        subprocess.run([clone / "nebulet", "down"], cwd=clone, env=env, check=False)
        shutil.rmtree(base, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
