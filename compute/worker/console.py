"""Follows the console logs that somebody looks at, into a bounded Redis stream each.

A reader keeps ``nebulet:console-lease:<server>`` alive and names the server on channel ``nebulet:console:<host>``. Entries of
``nebulet:console:<server>`` are ``{"o": offset, "d": bytes}``, or marks ``{"o": offset, "e": word}``: ``caught-up`` after all
that was there when a reader came, ``restarted`` when the log began anew (the guest was started again, or the log was rotated).
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis

LOG = logging.getLogger(__name__)

LEASE = "nebulet:console-lease:"
STREAM = "nebulet:console:"
FIRST_BYTES = 100 * 1024
KEPT_BYTES = 1024 * 1024
_CHUNK = 16 * 1024
_PER_LOOK = 2 * _CHUNK
_LOOK_EVERY_S = 0.1
_LEASES_EVERY_S = 2.0
_IDLE_S = 60.0
_STREAM_LIFE_S = 60
_LEASE_OF_A_BUILD_S = 60


class Tail:
    """One log on its way into its stream."""

    def __init__(self, client: redis.Redis, server_id: str, path: Path) -> None:
        self._client = client
        self._stream = STREAM + server_id
        self._path = path
        self._file: int | None = None
        self._identity = 0
        self._offset = 0
        self._kept: deque[tuple[Any, int]] = deque()
        self._kept_bytes = 0
        client.delete(self._stream)
        if self._open():
            self._offset = max(0, os.fstat(self._descriptor).st_size - FIRST_BYTES)
            while self._send_chunk():
                pass
        self.mark("caught-up")

    def look(self) -> None:
        """Send what is new, at most so much that a chattering guest cannot fill the queue."""
        if self._file is None and not self._open():
            return None
        size = os.fstat(self._descriptor).st_size
        if size < self._offset:
            self._restart(0)
        elif size - self._offset > KEPT_BYTES:
            self._offset = size - FIRST_BYTES
        for _ in range(_PER_LOOK // _CHUNK):
            if not self._send_chunk():
                return self._follow_rotation()
        return None

    def mark(self, word: str) -> None:
        """Send a mark."""
        self._add({"o": self._offset, "e": word}, 32)

    def keep(self) -> None:
        """Let the stream live on for a while; without readers it goes by itself."""
        self._client.expire(self._stream, _STREAM_LIFE_S)

    def close(self) -> None:
        """Stop following."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @property
    def _descriptor(self) -> int:
        if self._file is None:
            raise FileNotFoundError(self._path)
        return self._file

    def _open(self) -> bool:
        try:
            self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        self._identity = os.fstat(self._file).st_ino
        return True

    def _follow_rotation(self) -> None:
        """Go on with the new file once the old one, which was renamed, is read to its end."""
        try:
            changed = os.stat(self._path).st_ino != self._identity
        except FileNotFoundError:
            return
        if changed:
            self.close()
            if self._open():
                self._restart(0)

    def _restart(self, offset: int) -> None:
        self._offset = offset
        self.mark("restarted")

    def _send_chunk(self) -> bool:
        data = os.pread(self._descriptor, _CHUNK, self._offset)
        if not data:
            return False
        self._add({"o": self._offset, "d": data}, len(data))
        self._offset += len(data)
        return True

    def _add(self, entry: dict[str, int | bytes | str], size: int) -> None:
        """Add an entry, and drop the oldest beyond what is kept."""
        entry_id: Any = self._client.xadd(self._stream, entry)  # type: ignore[arg-type]
        self._kept.append((entry_id, size))
        self._kept_bytes += size
        if self._kept_bytes > KEPT_BYTES:
            while self._kept_bytes > KEPT_BYTES:
                self._kept_bytes -= self._kept.popleft()[1]
            self._client.xtrim(self._stream, minid=self._kept[0][0], approximate=False)


class ConsoleTailer:
    """A thread that follows the logs under lease and sleeps while there are none."""

    def __init__(self, client: redis.Redis, host: str, log_of: Callable[[str], Path]) -> None:
        self._client = client
        self._channel = STREAM + host
        self._log_of = log_of
        self._tails: dict[str, Tail] = {}
        self._leases_at = 0.0
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin to listen for readers."""
        threading.Thread(target=self._run, name="console", daemon=True).start()

    def stop(self) -> None:
        """End at the next look."""
        self._stopped.set()

    def build_begins(self, server_id: str) -> None:
        """Follow a guest from its first line, so that the boot log is there for whoever looks."""
        try:
            self._client.set(LEASE + server_id, b"build", ex=_LEASE_OF_A_BUILD_S, nx=True)
            self._client.publish(self._channel, server_id)
        except redis.RedisError as error:
            LOG.warning("The console log is not followed: %s", error)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen()
            except (redis.RedisError, OSError) as error:
                LOG.warning("Console logs are not followed for now: %s", error)
            except Exception:
                LOG.exception("Console logs are not followed for now")
            self._drop(list(self._tails))
            self._stopped.wait(1)

    def _listen(self) -> None:
        with self._client.pubsub(ignore_subscribe_messages=True) as readers:  # type: ignore[no-untyped-call]
            readers.subscribe(self._channel)
            self._resume()
            while not self._stopped.is_set():
                notice = readers.get_message(timeout=_LOOK_EVERY_S if self._tails else _IDLE_S)
                if notice is not None and isinstance(notice["data"], bytes):
                    self._follow(notice["data"].decode(errors="replace"))
                self._look()

    def _resume(self) -> None:
        """Take up leases that were announced while nobody listened."""
        for key in self._client.scan_iter(match=f"{LEASE}*", count=1_000):
            server_id = key.decode(errors="replace").removeprefix(LEASE)
            if _is_id(server_id) and self._log_of(server_id).exists():
                self._follow(server_id)

    def _follow(self, server_id: str) -> None:
        if not _is_id(server_id):
            return
        if server_id in self._tails:
            self._tails[server_id].mark("caught-up")
        else:
            self._tails[server_id] = Tail(self._client, server_id, self._log_of(server_id))

    def _look(self) -> None:
        now = time.monotonic()
        if self._tails and now - self._leases_at >= _LEASES_EVERY_S:
            self._leases_at = now
            followed = list(self._tails)
            leases = self._client.mget([LEASE + server_id for server_id in followed])
            for server_id in followed:
                self._tails[server_id].keep()
            self._drop([server_id for server_id, lease in zip(followed, leases, strict=True) if lease is None])
        for server_id, tail in list(self._tails.items()):
            try:
                tail.look()
            except OSError as error:
                LOG.warning("Console log of %s is not followed: %s", server_id, error)
                self._drop([server_id])

    def _drop(self, server_ids: list[str]) -> None:
        for server_id in server_ids:
            self._tails.pop(server_id).close()


def _is_id(text: str) -> bool:
    """Whether this may be the name of a folder of ours."""
    return len(text) == 36 and all(c in "0123456789abcdef-" for c in text)
