"""A display to look at where there is no guest: a tiny RFB 3.8 server that shows one colour per server (RFC 6143)."""

import hashlib
import socket
import struct
import threading
from contextlib import suppress
from pathlib import Path

WIDTH, HEIGHT = 320, 200
_PIXELS = struct.pack("!BBBBHHHBBB3x", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
_MESSAGE_REST = {0: 19, 3: 9, 4: 7, 5: 5}  # SetPixelFormat, FramebufferUpdateRequest, KeyEvent, PointerEvent


class FakeDisplay:
    """Listens on a Unix socket until it is closed."""

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self._name = name.encode()
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        path.chmod(0o600)
        self._listener.listen()
        threading.Thread(target=self._serve, name="fake-display", daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.path.unlink(missing_ok=True)

    def _serve(self) -> None:
        while True:
            try:
                peer, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(peer,), name="fake-display-viewer", daemon=True).start()

    def _talk(self, peer: socket.socket) -> None:
        with peer, suppress(OSError, EOFError):
            peer.sendall(b"RFB 003.008\n")
            _take(peer, 12)
            peer.sendall(bytes((1, 1)))  # one security type: none
            _take(peer, 1)
            peer.sendall(bytes(4))
            _take(peer, 1)
            peer.sendall(struct.pack("!HH", WIDTH, HEIGHT) + _PIXELS + struct.pack("!I", len(self._name)) + self._name)
            while True:
                self._answer(peer, _take(peer, 1)[0])

    def _answer(self, peer: socket.socket, kind: int) -> None:
        if kind == 2:  # SetEncodings
            _take(peer, 4 * struct.unpack("!xH", _take(peer, 3))[0])
        elif kind == 6:  # ClientCutText
            _take(peer, struct.unpack("!3xI", _take(peer, 7))[0])
        elif kind in _MESSAGE_REST:
            rest = _take(peer, _MESSAGE_REST[kind])
            if kind == 3 and rest[0] == 0:  # a viewer that has nothing yet; later there is never anything new
                peer.sendall(self._picture())
        else:
            raise EOFError

    def _picture(self) -> bytes:
        colour = hashlib.sha256(self._name).digest()[:3] + b"\0"
        return struct.pack("!BxHHHHHi", 0, 1, 0, 0, WIDTH, HEIGHT, 0) + colour * (WIDTH * HEIGHT)


def _take(peer: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = peer.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data
