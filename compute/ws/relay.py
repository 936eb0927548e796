"""The way to the relay of a host: a ticket goes in, a display comes out.

A relay on this machine hands the display's connection over, when the display speaks first; any other carries its bytes.
"""

import asyncio
import socket

from compute.services import consoles
from portal.core.connections import connected

CHUNK = 128 * 1024
CONNECT_S = 5.0


class Way:
    """A connection to a display: bytes in both directions, without a copy more than the kernel makes."""

    def __init__(self, connection: socket.socket, first: bytes = b"") -> None:
        self.connection = connection
        self._first = first
        self._loop = asyncio.get_running_loop()

    async def read(self) -> bytes:
        """Return what came, b"" at the end."""
        if self._first:
            first, self._first = self._first, b""
            return first
        return await self._loop.sock_recv(self.connection, CHUNK)

    async def write(self, data: bytes) -> None:
        """Return once all is on its way: a display that takes nothing holds up who writes."""
        await self._loop.sock_sendall(self.connection, data)

    async def streams(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return the same connection as streams, for whom that is handier; the way itself is not to be used then."""
        reader, writer = await asyncio.open_connection(sock=self.connection, limit=CHUNK)
        reader.feed_data(self._first)
        return reader, writer

    def close(self) -> None:
        """Hang up."""
        self.connection.close()


async def open_relay(relay: consoles.Relay) -> Way:
    """Return a connection to a guest's display; raises OSError or TimeoutError."""
    loop = asyncio.get_running_loop()
    kind, _colon, place = relay.address.partition(":")
    host, _colon, port = place.rpartition(":")
    async with asyncio.timeout(CONNECT_S):
        connection = await (connected(place) if kind == "unix" else _connected(host, int(port)))
        try:
            await loop.sock_sendall(connection, relay.ticket.encode() + b"\n")
            if kind != "unix" or relay.kind == consoles.SERIAL:
                return Way(connection)
            first, handed = await _first_answer(connection)
        except BaseException:
            connection.close()
            raise
    if handed is None:
        return Way(connection, first)
    connection.close()
    return Way(handed)


async def _connected(host: str, port: int) -> socket.socket:
    connection = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    connection.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(connection, (host.strip("[]"), port))
    except BaseException:
        connection.close()
        raise
    return connection


async def _first_answer(carried: socket.socket) -> tuple[bytes, socket.socket | None]:
    """Return the connection that was handed over, or the first bytes of one that is carried."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(carried, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(carried)
    first, descriptors, _flags, _address = socket.recv_fds(carried, CHUNK, 1)
    if not first:
        raise ConnectionRefusedError("The relay hung up.")
    if not descriptors:
        return first, None
    handed = socket.socket(fileno=descriptors[0])
    handed.setblocking(False)
    return b"", handed
