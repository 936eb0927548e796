"""Carries the bytes of a console between the web process and a guest's display.

Displays listen where only root reaches them; the relay lets in who brings a sealed ticket for that one server, once.
"""

import asyncio
import logging
import os
import socket
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from compute.virt import boot_logs
from compute.virt.driver import Display, Driver
from compute.virt.errors import DriverError, HypervisorUnreachable
from compute.worker.serial import SerialPorts
from portal.core import log
from portal.core.connections import connected
from portal.core.signing import BadTicket, unseal

LOG = logging.getLogger(__name__)

PURPOSE = "relay"
HANDED_OVER = b"+"
MAX_AGE_S = 30
_LIFE_S = MAX_AGE_S + 60.0  # Fernet takes a ticket from a clock that is a minute ahead
_LONGEST_TICKET = 4_096
_PATIENCE_S = 5.0
_CHUNK = 128 * 1024
MOST = 1_000


class Relay:
    """Listens at ``unix:/path`` or ``tcp:host:port``. A caller writes one line, the ticket; from then on it is the display."""

    def __init__(self, driver: Driver, key: bytes, address: str) -> None:
        self._driver = driver
        self._key = key
        self._address = address
        self._used: dict[str, float] = {}
        self._callers = 0
        self._waiting: Counter[str] = Counter()
        self._since = time.monotonic()
        self._serial = SerialPorts(driver.console_log)
        self._loop = asyncio.new_event_loop()

    def start(self) -> None:
        """Listen; raises OSError when the address cannot be had."""
        self._loop.run_until_complete(self._listen())
        threading.Thread(target=self._loop.run_forever, name="relay", daemon=True).start()

    async def _listen(self) -> None:
        kind, _colon, place = self._address.partition(":")
        if kind == "unix":
            path = Path(place)
            path.unlink(missing_ok=True)
            await asyncio.start_unix_server(self._admit, path, limit=_CHUNK, backlog=MOST)
            owner = path.parent.stat()
            os.chown(path, owner.st_uid, owner.st_gid)
            path.chmod(0o660)  # the group of the folder is the web process's
        else:
            name, _colon, port = place.rpartition(":")
            await asyncio.start_server(self._admit, name, int(port), limit=_CHUNK, backlog=MOST)
        LOG.info("Consoles are relayed at %s", self._address)

    async def _admit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve whoever has a ticket, unless there are MOST already: those who are there go on.

        Those who have shown none yet are counted apart, by their address, so that strangers take no place of anybody.
        """
        address = str((writer.get_extra_info("peername") or [""])[0])
        try:
            if self._waiting[address] >= MOST:
                return
            self._waiting[address] += 1
            try:
                ticket = await self._redeem(reader)
            finally:
                self._waiting -= Counter({address: 1})  # which forgets an address of which nobody waits
            if self._has_room():
                await self._serve(ticket, reader, writer)
        except (BadTicket, DriverError, HypervisorUnreachable) as error:
            LOG.warning("A console was refused: %s", error)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError) as error:
            LOG.debug("A console connection ended: %s", error)
        finally:
            writer.close()

    def _has_room(self) -> bool:
        if self._callers >= MOST:
            LOG.debug("A console was refused: %d are open", self._callers)
        elif self._callers == MOST - 1:
            LOG.warning("%d consoles are open at once, and no more are let in", MOST)
        return self._callers < MOST

    async def _serve(self, ticket: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._callers += 1
        try:
            with log.bound(server_id=ticket["server_id"]):
                if ticket["kind"].startswith("boot"):
                    await self._tell_boots(ticket, writer)
                else:
                    await self._open(ticket, reader, writer)
        finally:
            self._callers -= 1

    async def _redeem(self, reader: asyncio.StreamReader) -> dict[str, Any]:
        line = await asyncio.wait_for(reader.readuntil(b"\n"), _PATIENCE_S)
        if len(line) > _LONGEST_TICKET:
            raise BadTicket("The ticket is too long.")
        ticket = unseal(self._key, PURPOSE, line.strip().decode("ascii", "replace"), MAX_AGE_S)
        if not all(isinstance(ticket.get(name), str) for name in ("server_id", "kind", "nonce")):
            raise BadTicket("The ticket does not say for what it is.")
        now = time.monotonic()
        if not isinstance(ticket.get("at"), float) or time.time() - ticket["at"] > now - self._since:
            raise BadTicket("The ticket is older than this relay, so it may have been used.")
        self._used = {nonce: at for nonce, at in self._used.items() if now - at <= _LIFE_S}
        if ticket["nonce"] in self._used:
            raise BadTicket("The ticket was used already.")
        self._used[ticket["nonce"]] = now
        return ticket

    async def _open(self, ticket: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        display = await asyncio.to_thread(self._driver.display, ticket["server_id"], ticket["kind"])
        LOG.info("Console opened")
        if display.kind == "serial" and display.socket is not None:
            await self._serial.carry(ticket["server_id"], display.socket, reader, writer)
        elif ticket.get("hand_over") is True and display.socket is not None:
            await hand_over(writer, display.socket)
            return
        else:
            await self._carry(reader, writer, display)
        LOG.info("Console closed")

    async def _tell_boots(self, ticket: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        """Earlier boots are asked for by the same way: one answer, and that is all."""
        folder = self._driver.console_log(ticket["server_id"]).parent
        writer.write(await asyncio.to_thread(boot_logs.told, folder, ticket["kind"]))
        await asyncio.wait_for(writer.drain(), _PATIENCE_S)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, display: Display) -> None:
        if display.socket is not None:
            connection = await asyncio.wait_for(connected(display.socket), _PATIENCE_S)
            theirs, to_display = await asyncio.open_unix_connection(sock=connection, limit=_CHUNK)
        else:
            theirs, to_display = await asyncio.open_connection("127.0.0.1", display.port, limit=_CHUNK)
        ways = [asyncio.create_task(_pump(reader, to_display)), asyncio.create_task(_pump(theirs, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            to_display.close()


async def hand_over(writer: asyncio.StreamWriter, display: str) -> None:
    """Give a caller on this machine the open connection itself, so that its bytes take one way less."""
    with (
        await asyncio.wait_for(connected(display), _PATIENCE_S) as connection,
        socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno())) as caller,
    ):
        socket.send_fds(caller, [HANDED_OVER], [connection.fileno()])


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Carry bytes one way; ``drain`` makes a fast sender wait for a slow reader."""
    sink.transport.set_write_buffer_limits(high=_CHUNK)
    while chunk := await source.read(_CHUNK):
        sink.write(chunk)
        await sink.drain()
