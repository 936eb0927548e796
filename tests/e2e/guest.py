"""A client inside a network namespace of its own on a guest's bridge: what a colleague's machine on that network can do."""

import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def neighbour(bridge: str, address: str) -> Iterator[str]:
    """Yield the name of a network namespace that is plugged into ``bridge`` with ``address`` (with prefix length)."""
    tag = uuid.uuid4().hex[:6]
    space, outer, inner = f"nb-{tag}", f"nbo{tag}", f"nbi{tag}"
    run("ip", "netns", "add", space)
    try:
        run("ip", "link", "add", outer, "type", "veth", "peer", "name", inner, "netns", space)
        run("ip", "link", "set", outer, "master", bridge, "up")
        run("ip", "-n", space, "addr", "add", address, "dev", inner)
        run("ip", "-n", space, "link", "set", inner, "up")
        yield space
    finally:
        run("ip", "netns", "del", space)


def ssh(space: str, key: Path, address: str, command: str, user: str = "tiny") -> subprocess.CompletedProcess[str]:
    """Run a command in the guest from inside the namespace, or from the host where ``space`` is empty."""
    return subprocess.run(
        [
            *(("ip", "netns", "exec", space) if space else ()),
            *("ssh", "-i", str(key), "-o", "StrictHostKeyChecking=no"),
            *("-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=10", "-o", "BatchMode=yes"),
            *(f"{user}@{address}", command),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)
