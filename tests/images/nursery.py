"""A server of image bytes that may be killed: after each kill another is there at once, on the same socket.

Run as ``python -m tests.images.nursery DESCRIPTOR``; Django is loaded once and forked, and each server's pid is printed.
"""

import asyncio
import os
import socket
import sys

import django
import uvicorn

django.setup()

from images.api.v2.receiver import receive  # noqa: E402


def serve(listening: socket.socket) -> None:
    """Serve until killed."""
    server = uvicorn.Server(uvicorn.Config(receive, lifespan="off", log_config=None))
    asyncio.run(server.serve([listening]))


if __name__ == "__main__":
    listening = socket.socket(fileno=int(sys.argv[1]))
    while True:
        pid = os.fork()
        if not pid:
            serve(listening)
            os._exit(0)
        print(pid, flush=True)
        os.waitpid(pid, 0)
