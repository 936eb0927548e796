"""The door for native VNC viewers: one port beside the web's, a password that is good once, and the same relay behind it."""

import asyncio
import contextlib
import logging
import socket
from collections import Counter
from typing import Any

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async

from compute.services import console_visits, consoles, native_viewers
from compute.ws import closing, crowd, rfb
from compute.ws.relay import CHUNK, open_relay
from portal.core.errors import CloudError

LOG = logging.getLogger(__name__)

SPEAKS_S = 5.0  # a program says its version at once
PATIENCE_S = 120.0  # some viewers ask their user for the password in the middle of this
WRONG_S = 1.0
AT_ONCE, AT_ONCE_PER_ADDRESS = 64, 8
_KEEP_ALIVE = {socket.TCP_KEEPIDLE: 30, socket.TCP_KEEPINTVL: 10, socket.TCP_KEEPCNT: 3, socket.TCP_USER_TIMEOUT: 60_000}

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class ViewerDoor:
    """Listens for viewers. ``waiting`` counts those who have not said their password yet, by address."""

    def __init__(self) -> None:
        self.waiting: Counter[str] = Counter()
        self._server: asyncio.Server | None = None

    async def open(self, bind: str, port: int) -> None:
        """Listen; a port that cannot be had costs the native viewers alone."""
        try:
            self._server = await asyncio.start_server(self.serve, bind, port)
        except OSError as error:
            LOG.warning("There is no way in for native viewers: %s", error)

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let one viewer in, and carry until either side, the server or the right ends."""
        entry = _Entry()
        try:
            _keep_alive(writer)
            await self._admit(entry, reader, writer)
            if entry.found is not None:
                await _carry((reader, writer), *entry.found)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            LOG.debug("A native viewer went: %s", error)
        except rfb.Refused as refused:
            LOG.info("A native viewer was refused: %s", refused)
        except Exception:
            LOG.exception("A native viewer's console failed")
        finally:
            entry.leave()
            writer.close()

    async def _admit(self, entry: "_Entry", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = str((writer.get_extra_info("peername") or ["-"])[0])
        if self.waiting[address] >= AT_ONCE_PER_ADDRESS or self.waiting.total() >= AT_ONCE:
            return
        self.waiting[address] += 1
        try:
            async with asyncio.timeout(PATIENCE_S):
                async with asyncio.timeout(SPEAKS_S):
                    minor = await rfb.greet(reader, writer)
                await rfb.ask_password(reader, writer, minor, entry.admit)
        finally:
            self.waiting -= Counter({address: 1})  # which forgets an address of whom nobody waits


class _Entry:
    """What a viewer's answer opened."""

    found: tuple[consoles.Relay, Streams] | None = None
    _place: crowd.Place | None = None

    async def admit(self, challenge: bytes, response: bytes) -> None:
        digest = await database_sync_to_async(native_viewers.digest_behind)(challenge, response)
        if digest is None:
            await asyncio.sleep(WRONG_S)
            raise rfb.Refused("The password is not valid any more.")
        try:
            relay = await database_sync_to_async(consoles.spend)(digest, consoles.NATIVE)
            self._place = crowd.CONSOLES.enter(relay.holder.user_id, relay.server_id)
            if self._place is None:
                raise rfb.Refused(crowd.TOLD)
            reader, writer = await (await open_relay(relay)).streams()
            await rfb.enter(reader, writer)
        except (CloudError, OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise rfb.Refused("The display does not answer.") from error
        self.found = relay, (reader, writer)

    def leave(self) -> None:
        """Give its place back."""
        if self._place is not None:
            self._place.leave()


async def _carry(viewer: Streams, relay: consoles.Relay, display: Streams) -> None:
    visit = await sync_to_async(console_visits.begin)(relay)

    async def still() -> bool:
        await sync_to_async(console_visits.renew)(visit)
        return bool(await database_sync_to_async(consoles.holder_may_go_on)(relay))

    ways = [
        asyncio.create_task(_pump(viewer[0], display[1]), name="the viewer"),
        asyncio.create_task(_pump(display[0], viewer[1]), name="the display"),
        asyncio.create_task(closing.while_allowed(still), name="the right to it"),
    ]
    try:
        ended, _others = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ended:
            LOG.info("A native viewer's console ended with %s", way.get_name(), extra={"server_id": relay.server_id})
            way.result()
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        display[1].close()
        await sync_to_async(console_visits.end)(visit)


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while chunk := await source.read(CHUNK):
        sink.write(chunk)
        await sink.drain()


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    """Have the kernel notice a viewer that went without a word, or that reads nothing any more."""
    connection = writer.get_extra_info("socket")
    if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for option, value in _KEEP_ALIVE.items():
            connection.setsockopt(socket.IPPROTO_TCP, option, value)


async def lifespan(receive: Any, send: Any, *, bind: str, port: int) -> None:
    """Keep the door open while the web process lives (ASGI's lifespan protocol); port 0 means no door."""
    door = ViewerDoor()
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            if port:
                await door.open(bind, port)
            await send({"type": "lifespan.startup.complete"})
        else:
            with contextlib.suppress(OSError):
                await door.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
