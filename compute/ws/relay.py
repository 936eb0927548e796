"""The way to the relay of a host: a ticket goes in, a display comes out.

A relay on this machine hands the display's connection over, when the display speaks first; any other carries its bytes.
"""

import asyncio
import socket

from compute.services import consoles

CHUNK = 128 * 1024
CONNECT_S = 5.0
WRITE_BUFFER = 256 * 1024

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def open_relay(relay: consoles.Relay) -> Streams:
    """Return a connection to a guest's display; raises OSError or TimeoutError."""
    kind, _colon, place = relay.address.partition(":")
    async with asyncio.timeout(CONNECT_S):
        if kind != "unix":
            host, _colon, port = place.rpartition(":")
            reader, writer = await asyncio.open_connection(host, int(port), limit=CHUNK)
            writer.write(relay.ticket.encode() + b"\n")
            await writer.drain()
        else:
            reader, writer = await _open_here(place, relay)
    writer.transport.set_write_buffer_limits(high=WRITE_BUFFER)
    return reader, writer


async def _open_here(path: str, relay: consoles.Relay) -> Streams:
    loop = asyncio.get_running_loop()
    carried = socket.socket(socket.AF_UNIX)
    carried.setblocking(False)
    try:
        await loop.sock_connect(carried, path)
        await loop.sock_sendall(carried, relay.ticket.encode() + b"\n")
        first, handed = (b"", None) if relay.kind == consoles.SERIAL else await _first_answer(carried)
    except BaseException:
        carried.close()
        raise
    if handed is not None:
        carried.close()
        return await asyncio.open_unix_connection(sock=handed, limit=CHUNK)
    reader, writer = await asyncio.open_unix_connection(sock=carried, limit=CHUNK)
    reader.feed_data(first)
    return reader, writer


async def _first_answer(carried: socket.socket) -> tuple[bytes, socket.socket | None]:
    """Return the connection that was handed over, or the first bytes of one that is carried."""
    loop = asyncio.get_running_loop()
    readable: asyncio.Future[None] = loop.create_future()
    loop.add_reader(carried, lambda: readable.done() or readable.set_result(None))
    try:
        await readable
    finally:
        loop.remove_reader(carried)
    first, descriptors, _flags, _address = socket.recv_fds(carried, 1, 1)
    if not first:
        raise ConnectionRefusedError("The relay hung up.")
    if not descriptors:
        return first, None
    handed = socket.socket(fileno=descriptors[0])
    handed.setblocking(False)
    return b"", handed
