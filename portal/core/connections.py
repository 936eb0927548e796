"""What a process needs to hold many connections: descriptors enough, and a connect that waits its turn."""

import asyncio
import resource
import socket

MOST_DESCRIPTORS = 65_536
_TURN_S = 0.02


def allow_many() -> None:
    """Let this process have as many descriptors as it may: the usual 1,024 are gone with 500 consoles, and with them the pages."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


async def connected(path: str) -> socket.socket:
    """Return a non-blocking connection to a Unix socket, waiting while its listener's queue is full; raises OSError.

    The kernel says EAGAIN then, which asyncio and uvloop take for success. QEMU's displays queue one caller. Bound the wait.
    """
    connection = socket.socket(socket.AF_UNIX)
    connection.setblocking(False)
    try:
        while True:
            try:
                connection.connect(path)
                return connection
            except BlockingIOError:
                await asyncio.sleep(_TURN_S)
    except BaseException:
        connection.close()
        raise
