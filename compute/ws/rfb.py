"""The opening of the RFB protocol (RFC 6143, section 7.1), from both sides: just as far as it asks who somebody is."""

import asyncio
import secrets
import struct
from collections.abc import Awaitable, Callable

VERSION = b"RFB 003.008\n"
_NONE, _PASSWORD = 1, 2
_OK, _FAILED = struct.pack("!I", 0), struct.pack("!I", 1)


class Refused(Exception):
    """The other side cannot or may not go on."""


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    """Return the second number of the version that a viewer speaks."""
    writer.write(VERSION)
    return _minor(await reader.readexactly(len(VERSION)))


async def ask_password(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    minor: int,
    admit: Callable[[bytes, bytes], Awaitable[None]],
) -> None:
    """Let in a viewer whose answer to a challenge ``admit`` accepts; what it raises as Refused the viewer is told."""
    if minor >= 7:
        writer.write(bytes((1, _PASSWORD)))
        if (await reader.readexactly(1))[0] != _PASSWORD:
            raise Refused("The viewer does not know passwords.")
    else:
        writer.write(struct.pack("!I", _PASSWORD))
    challenge = secrets.token_bytes(16)
    writer.write(challenge)
    try:
        await admit(challenge, await reader.readexactly(16))
    except Refused as refused:
        reason = str(refused).encode()
        writer.write(_FAILED + (struct.pack("!I", len(reason)) + reason if minor >= 8 else b""))
        await writer.drain()
        raise
    writer.write(_OK)
    await writer.drain()


async def enter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Go in at a display that asks for no password."""
    if _minor(await reader.readexactly(len(VERSION))) < 8:
        raise Refused("The display speaks too old a protocol.")
    writer.write(VERSION)
    count = (await reader.readexactly(1))[0]
    if _NONE not in await reader.readexactly(count):
        raise Refused("The display wants a password.")
    writer.write(bytes((_NONE,)))
    if await reader.readexactly(4) != _OK:
        raise Refused("The display lets nobody in.")


def _minor(greeting: bytes) -> int:
    """Return the version's second number; some viewers say 889 and mean the newest."""
    if not greeting.startswith(b"RFB 003.") or not greeting[8:11].isdigit():
        raise Refused("That is not RFB.")
    return int(greeting[8:11])
