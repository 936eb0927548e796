"""The one place of a worker for its host: nobody carries commands out beside it, neither on this machine nor on another.

On the machine it is a lock of a file, which the kernel gives up when the process dies. Between machines it is a lease in Redis; one
that was held with the same file is taken over at once, since its worker must be gone.
"""

import fcntl
import logging
import os
import platform
import threading
from collections.abc import Callable
from pathlib import Path

import redis

from compute.worker import uptime

LOG = logging.getLogger(__name__)

LEASE_S = 30
_RENEW_S = 10.0


class Place:
    """Held from ``take`` on, for as long as the process lives and ``keep`` hears of no other worker."""

    def __init__(self, file: Path, client: redis.Redis, host: str) -> None:
        self._file = file
        self._client = client
        self._host = host
        self._key = f"nebulet:worker:{host}"
        self._name = ""

    def take(self) -> None:
        """Take the place; raises SystemExit with a sentence when another worker has it. Redis that does not answer is asked later."""
        descriptor = os.open(self._file, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise SystemExit(f"Another worker of this machine has {self._file}: one host takes one worker.") from None
        found = os.fstat(descriptor)
        self._name = f"{uptime.boot_id()} {found.st_dev} {found.st_ino} {platform.node()}"
        other = self._other()
        if other is not None:
            raise SystemExit(
                f"Machine {other} has a worker of host {self._host}: give one of the two another name with NEBULET_HOST. "
                f"One that is gone is forgotten after {LEASE_S} seconds."
            )

    def keep(self, lost: Callable[[], None]) -> None:
        """Renew the lease from a thread; call ``lost`` when another worker took it while Redis could not be asked."""
        threading.Thread(target=self._renew, args=(lost,), name="place", daemon=True).start()

    def _renew(self, lost: Callable[[], None]) -> None:
        pause = threading.Event()
        while not pause.wait(_RENEW_S):
            other = self._other()
            if other is not None:
                LOG.error("Machine %s has a worker of host %s too: this one ends.", other, self._host)
                lost()
                return

    def _other(self) -> str | None:
        """Take or renew the lease; return the machine that has it when it is another's."""
        try:
            if self._client.set(self._key, self._name, nx=True, ex=LEASE_S):
                return None
            holder = self._client.get(self._key)
            if holder is None or holder == self._name.encode():
                self._client.expire(self._key, LEASE_S)
                return None
        except redis.RedisError as error:
            LOG.warning("Whether another worker is host %s is not known: %s", self._host, error)
            return None
        assert isinstance(holder, bytes)
        return holder.decode(errors="replace").rpartition(" ")[2]
