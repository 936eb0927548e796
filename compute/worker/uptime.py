"""How long this machine has been up, in the words of ``uptime``: clients of the compute API take that line apart."""

import subprocess

_PATIENCE_S = 5


def words() -> str:
    """Return the line that ``uptime`` prints, or nothing where there is no such program."""
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
