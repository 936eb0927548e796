"""A Redis server of the test's own, on a Unix socket."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

__all__ = ["private_redis"]


def binary() -> str | None:
    """Return a Redis or Valkey server of this machine."""
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return found
    return None


def start(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Return a running server and the address of its database 0."""
    found = binary()
    assert found is not None, "neither valkey-server nor redis-server is installed"
    socket = folder / "redis.sock"
    process = subprocess.Popen(
        [found, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)], stdout=subprocess.DEVNULL
    )
    url = f"unix://{socket}"
    client = redis.Redis.from_url(url)
    for _attempt in range(100):
        try:
            client.ping()
            return process, url
        except redis.ConnectionError:
            time.sleep(0.05)
    raise AssertionError("the server did not start")


@pytest.fixture
def private_redis() -> Iterator[str]:
    """The address of an empty server that ends with the test."""
    if binary() is None:
        pytest.skip("no Redis server on this machine")
    with tempfile.TemporaryDirectory(prefix="nebulet-redis-") as folder:
        process, url = start(Path(folder))
        try:
            yield url
        finally:
            process.terminate()
            process.wait(10)
