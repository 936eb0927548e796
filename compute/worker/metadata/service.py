"""Keeps a server on each bridge of this host, as bridges come and go."""

import logging
import socket
import threading

from compute.virt.driver import Driver
from compute.virt.errors import DriverError, HypervisorUnreachable
from compute.worker.metadata.doorway import Doorway
from compute.worker.metadata.server import BridgeServer
from compute.worker.metadata.source import Source

LOG = logging.getLogger(__name__)

EVERY_S = 10.0


class Metadata:
    """The metadata service of one host. A bridge that was made anew under its old name is another device, and gets another server."""

    def __init__(self, driver: Driver, source: Source, doorway: Doorway, port: int) -> None:
        self._driver = driver
        self._source = source
        self._doorway = doorway
        self._port = port
        self._asked = threading.Event()
        self._servers: dict[tuple[str, int], BridgeServer] = {}
        self._led = False

    def start(self) -> None:
        """Take up work; returns at once. Port 0 means that this host has no metadata service."""
        if self._port:
            threading.Thread(target=self._run, name="metadata", daemon=True).start()

    def soon(self) -> None:
        """A guest came or went: look at the bridges now."""
        self._asked.set()

    def look(self) -> None:
        """Bring servers and bridges together."""
        wanted = {(bridge, index) for bridge in self._driver.bridges() if (index := _index(bridge))}
        for gone in set(self._servers) - wanted:
            self._servers.pop(gone).stop()
        for new in wanted - set(self._servers):
            self._listen(new)
        if self._servers:
            # Said again each time: whoever flushes the host's rules flushes these as well.
            self._led = self._doorway.open({bridge for bridge, _index in self._servers})
        elif self._led:
            self._doorway.close()
            self._led = False

    def _listen(self, device: tuple[str, int]) -> None:
        try:
            server = BridgeServer(device[0], self._port, self._driver.card_at, self._source)
        except OSError as error:
            LOG.warning("No metadata service on %s: %s", device[0], error)
            return
        server.start()
        self._servers[device] = server
        LOG.info("Guests on %s are told their metadata", device[0])

    def _run(self) -> None:
        while True:
            self._asked.clear()
            try:
                self.look()
            except (HypervisorUnreachable, DriverError, OSError) as error:
                LOG.warning("Bridges could not be looked at: %s", error)
            except Exception:
                LOG.exception("Bridges could not be looked at")
            self._asked.wait(EVERY_S)


def _index(bridge: str) -> int:
    """Return the number of a network device, 0 where there is none."""
    try:
        return socket.if_nametoindex(bridge)
    except OSError:
        return 0
