"""A server of the web on loopback, well or badly behaved, and the settings that let our fetches reach it."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from portal.settings.images import FETCH

Answer = Callable[[BaseHTTPRequestHandler], None]


def rules(**changes):
    """Return rules of fetching under which loopback may be asked, at any port."""
    return {**FETCH, "allowed_ports": [], "allowed_networks": ["127.0.0.0/8", "::1/128"], **changes}


@contextmanager
def serving(answer: Answer, context=None) -> Iterator[int]:
    """Run a server whose every GET is answered by a function; gives its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            with suppress(ConnectionError, ssl.SSLError):
                answer(self)

        def log_message(self, *_args):
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def of(content: bytes, **headers: str) -> Answer:
    """Return an answer that sends this content, or the range of it that is asked for."""

    def answer(request):
        asked = request.headers.get("Range", "")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        request.send_response(206 if asked else 200)
        request.send_header("Content-Length", str(len(content) - start))
        if asked:
            request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(content[start:])

    return answer


def leading_to(address: str, status: int = 302) -> Answer:
    """Return an answer that leads elsewhere."""

    def answer(request):
        request.send_response(status)
        request.send_header("Location", address)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


class Names:
    """A name server of the test's own: each name has a list of answers, the last of which stays."""

    def __init__(self, monkeypatch) -> None:
        self.answers: dict[str, list[str]] = {}
        self.asked: list[str] = []
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._answer)

    def _answer(self, host, port, *args, **kwargs):
        if host not in self.answers:
            return self._real(host, port, *args, **kwargs)
        self.asked.append(host)
        known = self.answers[host]
        return self._real(known.pop(0) if len(known) > 1 else known[0], port, *args, **kwargs)
