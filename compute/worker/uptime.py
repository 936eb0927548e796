"""How long this machine has been up, and since which of its starts."""

import subprocess
from pathlib import Path

_PATIENCE_S = 5
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def words() -> str:
    """Return the line that ``uptime`` prints, which clients of the compute API take apart; nothing where there is no such program."""
    try:
        done = subprocess.run(
            ["uptime"],
            env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def boot_id() -> str:
    """Return what the kernel calls its present run, a UUID; nothing where it does not say."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
