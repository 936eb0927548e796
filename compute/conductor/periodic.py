"""What the conductor does by the clock: heartbeats and repairs, in a thread of its own."""

import logging
import platform
import secrets
import threading
import time
from collections.abc import Callable

import redis
from django.conf import settings
from django.db import close_old_connections

from accounts.services import shares
from compute.services import healing, host_reports, repairs, sweeps
from images.services.imports import sweeps as image_sweeps
from portal import VERSION
from portal.core import log, statements

LOG = logging.getLogger(__name__)

HEARTBEAT_S = 10
SWEEP_S = 5
IMAGES_S = 15
REPAIRS_S = 60
HOUSEKEEPING_S = 300
LEADER_KEY = "nebulet:conductor-leader"
LEADER_S = 20
CLOCK_SET_S = 10
BINARIES = ("nova-conductor", "nova-scheduler")


class Leadership:
    """A lease in Redis that one conductor holds, so that two of them do not repair the same things."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._name = secrets.token_hex(8).encode()

    def held(self) -> bool:
        """Return whether this conductor leads, taking or renewing the lease; False while Redis does not answer."""
        try:
            if self._client.set(LEADER_KEY, self._name, nx=True, ex=LEADER_S):
                return True
            if self._client.get(LEADER_KEY) != self._name:
                return False
            return bool(self._client.expire(LEADER_KEY, LEADER_S))
        except redis.RedisError:
            return False

    def give_up(self) -> None:
        """Let another conductor lead at once."""
        try:
            if self._client.get(LEADER_KEY) == self._name:
                self._client.delete(LEADER_KEY)
        except redis.RedisError as error:
            LOG.info("The lease ends by itself: %s", error)


class Clock(threading.Thread):
    """Runs each chore when it is due; a fault in one is logged and does not stop the others."""

    def __init__(self) -> None:
        super().__init__(name="periodic", daemon=True)
        self._stopping = threading.Event()
        self._leadership = Leadership(redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2))
        self._duties = {
            "sweep": (SWEEP_S, sweeps.sweep),
            "shares": (SWEEP_S, shares.sweep),
            "images": (IMAGES_S, image_sweeps.sweep),
            "repairs": (REPAIRS_S, repairs.repair),
            "housekeeping": (HOUSEKEEPING_S, healing.keep_house),
        }
        self._due: dict[str, float] = {}
        self._ahead_s = _ahead_s()

    def run(self) -> None:
        while not self._stopping.is_set():
            self._every("heartbeat", HEARTBEAT_S, self.heartbeat)
            if any(map(self._is_due, self._duties)) and self._leadership.held():
                self._every("clock", 0, self.look_at_the_clock)
                for name, (seconds, chore) in self._duties.items():
                    self._every(name, seconds, chore)
            close_old_connections()
            self._stopping.wait(1)

    def stop(self) -> None:
        """End after the chore that runs now."""
        self._stopping.set()
        self._leadership.give_up()

    def heartbeat(self) -> None:
        for binary in BINARIES:
            host_reports.heartbeat(binary, platform.node(), VERSION)

    def look_at_the_clock(self) -> None:
        """Let nothing be given up because the machine's clock was set, or stood still while the machine slept."""
        ahead_s = _ahead_s()
        if abs(ahead_s - self._ahead_s) > CLOCK_SET_S:
            LOG.warning("The clock was set by %+.0f s: what is under way has its whole time again.", ahead_s - self._ahead_s)
            sweeps.begin_times_anew()
        self._ahead_s = ahead_s

    def _is_due(self, name: str) -> bool:
        return time.monotonic() >= self._due.get(name, 0)

    def _every(self, name: str, seconds: float, chore: Callable[[], object]) -> None:
        if not self._is_due(name):
            return
        self._due[name] = time.monotonic() + seconds
        try:
            with log.bound(), statements.logged():
                chore()
        except Exception:  # whatever it was, the next round tries again
            LOG.exception("The chore %s failed.", name)


def _ahead_s() -> float:
    """Return how far the clock is ahead of the one that nobody can set."""
    return time.time() - time.monotonic()
