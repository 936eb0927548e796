"""A serial port to type at where there is no guest: a tiny shell that echoes and knows no commands, and writes its log."""

import socket
import threading
from contextlib import suppress
from pathlib import Path

_ERASE = (b"\x7f", b"\b")


class FakeSerial:
    """Listens on a Unix socket until it is closed. Like QEMU's, it serves one caller at a time."""

    def __init__(self, path: Path, log: Path, prompt: str) -> None:
        self.path = path
        self._log = log
        self._prompt = prompt.encode()
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        path.chmod(0o600)
        self._listener.listen()
        self._peer: socket.socket | None = None
        self._closed = threading.Event()
        threading.Thread(target=self._serve, name="fake-serial", daemon=True).start()

    def close(self) -> None:
        """Stop listening, and hang up."""
        self._closed.set()
        for one in (self._listener, self._peer):
            if one is not None:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.path.unlink(missing_ok=True)

    def _serve(self) -> None:
        while True:
            try:
                self._peer, _address = self._listener.accept()
            except OSError:
                return
            with self._peer, suppress(OSError):
                if self._closed.is_set():
                    return
                self._talk(self._peer)

    def _talk(self, peer: socket.socket) -> None:
        line = b""
        while typed := peer.recv(4096):
            for sign in (typed[place : place + 1] for place in range(len(typed))):
                if sign in (b"\r", b"\n"):
                    self._say(peer, b"\r\n" + self._answer(line.strip()) + self._prompt)
                    line = b""
                elif sign in _ERASE:
                    if line:
                        self._say(peer, b"\b \b")
                    line = line[:-1]
                else:
                    self._say(peer, sign)
                    line += sign

    def _answer(self, line: bytes) -> bytes:
        return line + b": this guest is pretended\r\n" if line else b""

    def _say(self, peer: socket.socket, text: bytes) -> None:
        with self._log.open("ab") as log:
            log.write(text)
        peer.sendall(text)
