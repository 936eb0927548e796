"""The web server of one bridge: plain HTTP/1.0, a thread per question, each bounded in size and time."""

import logging
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from compute.virt.driver import Card
from compute.virt.errors import DriverError, HypervisorUnreachable
from compute.virt.instance_data import LONGEST_PASSWORD
from compute.worker.metadata import paths
from compute.worker.metadata.source import Refused, Source, Unavailable

LOG = logging.getLogger(__name__)

_AT_ONCE = 64
_EACH = 8
_PATIENCE_S = 5.0

WhoAsks = Callable[[str, str], Card | None]


class BridgeServer(ThreadingHTTPServer):
    """Answers what comes in on one bridge, and nothing else: the socket is bound to the device."""

    daemon_threads = True
    request_queue_size = 64
    longest_s = 10.0

    def __init__(self, bridge: str, port: int, who: WhoAsks, source: Source, *, address: str = "") -> None:
        self.bridge = bridge
        self.who = who
        self.source = source
        self._lock = threading.Lock()
        self._open: dict[Any, tuple[str, float]] = {}
        super().__init__((address, port), Handler)

    def server_bind(self) -> None:
        if self.bridge:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.bridge.encode())
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def start(self) -> None:
        """Answer from a thread of its own."""
        threading.Thread(target=self.serve_forever, name=f"metadata-{self.bridge}", daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Let no guest hold more than a few connections, so that one cannot silence the others."""
        with self._lock:
            if (
                len(self._open) >= _AT_ONCE
                or [address for address, _end in self._open.values()].count(client_address[0]) >= _EACH
            ):
                return False
            self._open[request] = (client_address[0], time.monotonic() + self.longest_s)
            return True

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """End what takes too long: a guest that sends a byte now and then is never idle."""
        now = time.monotonic()
        with self._lock:
            late = [request for request, (_address, end) in self._open.items() if end < now]
        for request in late:
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        LOG.debug("A question from %s on %s ended early", client_address[0], self.bridge, exc_info=True)


class Handler(BaseHTTPRequestHandler):
    """One question. Headers are read and mean nothing: who asks is not theirs to say."""

    server: BridgeServer
    timeout = _PATIENCE_S
    server_version, sys_version = "Nebulet", ""

    def do_GET(self) -> None:
        card = self._card()
        data = None
        if card is not None:
            try:
                data = self.server.source.data(card)
            except Unavailable as error:
                LOG.warning("Guest %s got no answer: %s", card.server_id, error.__cause__ or error)
                return self._say(503, b"The metadata of this instance cannot be read now.")
        found = None if data is None else paths.look_up(data, self.path)
        if found is None:
            return self._say(404, b"Not found.")
        return self._say(200, found.body, found.kind)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        card = self._card()
        if card is None or not paths.is_password(self.path):
            return self._say(404, b"Not found.")
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > LONGEST_PASSWORD:
            return self._say(400, b"A password has at most 4080 bytes.")
        try:
            self.server.source.keep_password(card, self.rfile.read(int(length)))
        except Refused as error:
            return self._say(error.status if error.status in (400, 404, 409) else 502, b"The password was not taken.")
        except Unavailable:
            return self._say(503, b"The password cannot be kept now.")
        LOG.info("The guest left its sealed password", extra={"server_id": card.server_id})
        return self._say(200, b"")

    def _card(self) -> Card | None:
        """Return whose question this is. A stranger, such as the host itself, gets the answer of a path that is not there."""
        address = str(self.client_address[0])
        try:
            card = self.server.who(self.server.bridge, address)
        except (DriverError, HypervisorUnreachable) as error:
            LOG.warning("Who asks from %s on %s cannot be told: %s", address, self.server.bridge, error)
            return None
        if card is None:
            LOG.info("A stranger asked for metadata from %s on %s", address, self.server.bridge)
        return card

    def _say(self, status: int, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Paths are no secrets, but they are the guest's words."""
        LOG.debug("%s on %s: %r", self.client_address[0], self.server.bridge, format % args)
