"""The serial ports of guests, each shared by all who look at it.

QEMU lets one caller in at a time and stops a guest's writing when that one does not read. So there is one connection to each guest,
which is always read; what is typed by anybody goes in, what the guest prints goes to everybody who keeps up.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

LOG = logging.getLogger(__name__)

_CHUNK = 16 * 1024
_BEHIND = 256 * 1024
_SHOWN_FIRST = 8 * 1024
_LEFT_OUT = b"\r\n[some output was left out here]\r\n"


class SerialPorts:
    """The ports that somebody looks at now. ``log_of`` is where a guest's output was written to so far."""

    def __init__(self, log_of: Callable[[str], Path]) -> None:
        self._log_of = log_of
        self._ports: dict[str, _Port] = {}
        self._opening = asyncio.Lock()

    async def carry(self, server_id: str, socket: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let one more caller in, and return when he or the guest has gone."""
        async with self._opening:
            port = self._ports.get(server_id)
            if port is None or port.ended.is_set():
                port = self._ports[server_id] = _Port(*await asyncio.open_unix_connection(socket))
        writer.write(last_screen(self._log_of(server_id)))
        port.join(writer)
        try:
            await port.take_from(reader)
        finally:
            if port.leave(writer):
                port.close()
                if self._ports.get(server_id) is port:
                    del self._ports[server_id]


class _Port:
    """One connection to a guest's port, and who listens to it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.ended = asyncio.Event()
        self._reader, self._writer = reader, writer
        self._listeners: dict[asyncio.StreamWriter, bool] = {}
        self._task = asyncio.create_task(self._tell())

    def join(self, listener: asyncio.StreamWriter) -> None:
        self._listeners[listener] = True

    def leave(self, listener: asyncio.StreamWriter) -> bool:
        """Return whether that was the last one."""
        self._listeners.pop(listener, None)
        return not self._listeners

    def close(self) -> None:
        self._task.cancel()
        self._writer.close()

    async def take_from(self, reader: asyncio.StreamReader) -> None:
        """Pass on what somebody types until he hangs up or the guest goes."""
        typing = asyncio.create_task(self._type(reader))
        over = asyncio.create_task(self.ended.wait())
        try:
            await asyncio.wait([typing, over], return_when=asyncio.FIRST_COMPLETED)
        finally:
            typing.cancel()
            over.cancel()
            await asyncio.gather(typing, over, return_exceptions=True)

    async def _type(self, reader: asyncio.StreamReader) -> None:
        while typed := await reader.read(_CHUNK):
            self._writer.write(typed)
            await self._writer.drain()

    async def _tell(self) -> None:
        try:
            while printed := await self._reader.read(_CHUNK):
                for listener in list(self._listeners):
                    self._tell_one(listener, printed)
        except ConnectionError as error:
            LOG.debug("A serial port ended: %s", error)
        finally:
            self.ended.set()

    def _tell_one(self, listener: asyncio.StreamWriter, printed: bytes) -> None:
        """Somebody who reads too slowly misses a part, and is told so once he has caught up."""
        keeps_up = listener.transport.get_write_buffer_size() < _BEHIND
        if keeps_up:
            listener.write(printed if self._listeners[listener] else _LEFT_OUT + printed)
        self._listeners[listener] = keeps_up


def last_screen(log: Path) -> bytes:
    """Return the last lines that a guest printed, so that a newcomer sees where he is."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _SHOWN_FIRST))
            text = file.read(_SHOWN_FIRST)
    except OSError:
        return b""
    return text if size <= _SHOWN_FIRST else text[text.find(b"\n") + 1 :]
