"""How much is taken of one host: one that lies or is broken must not keep the conductor from all others.

What is beyond is dropped as it leaves the queue, and what was true in it comes again: the next report of the host tells how it and its
guests are, a command whose end was not heard is sent again, filters are asked for until they come. A host is whom a report names: who has
the installation's key can spend another's allowance, and that of all hosts which are not known yet.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from compute.messages import REPORT_ACTORS, BuildPhase, GuestChanged, HostReport, ImageNotFetched, OperationFinished
from compute.port_messages import FiltersWanted, InterfaceChanged

LOG = logging.getLogger(__name__)

NAMED_EVERY_S = 60.0
STRANGERS = ""


@dataclass(frozen=True)
class Rate:
    """So many at once, and so many a second in the long run."""

    at_once: int
    per_s: float


# At once: what a whole host may have to tell, as after a power cut or a night without conductor. A second: above what one ever needs.
RATES: dict[type, Rate] = {
    HostReport: Rate(50, 5),
    GuestChanged: Rate(500, 2),
    OperationFinished: Rate(1_000, 20),
    BuildPhase: Rate(1_000, 20),
    InterfaceChanged: Rate(500, 10),
    ImageNotFetched: Rate(100, 1),
    FiltersWanted: Rate(20, 1),
}
_KINDS = {actor: kind for kind, actor in REPORT_ACTORS.items()}


class _Bucket:
    """What one host may still tell of one kind."""

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate, self._left, self._at = rate, float(rate.at_once), now

    def take(self, now: float) -> bool:
        """Take one; False when there is none left."""
        self._left = min(self._rate.at_once, self._left + (now - self._at) * self._rate.per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Allowances:
    """Knows what each host has told lately. Those that ``hosts`` does not name share what one may tell: made-up names gain nothing."""

    def __init__(self, hosts: Callable[[], frozenset[str]], clock: Callable[[], float] = time.monotonic) -> None:
        self._hosts, self._clock = hosts, clock
        self._lock = threading.Lock()
        self._known: frozenset[str] = frozenset()
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._dropped: dict[str, int] = {}
        self._named_at: dict[str, float] = {}

    def admits(self, actor: str, payload: dict[str, Any]) -> bool:
        """Whether a message is to be looked at. What is no report always is."""
        kind = _KINDS.get(actor)
        if kind is None:
            return True
        host, now = payload.get("host"), self._clock()
        owner = host if isinstance(host, str) and host in self._known else STRANGERS
        with self._lock:
            bucket = self._buckets.setdefault((owner, actor), _Bucket(RATES[kind], now))
            admitted = bucket.take(now)
            if not admitted:
                self._note(owner, now)
        if admitted and owner == STRANGERS:
            self._known |= self._hosts()
        return admitted

    def _note(self, owner: str, now: float) -> None:
        """Count what is dropped, and name its host once in a while."""
        self._dropped[owner] = self._dropped.get(owner, 0) + 1
        if now - self._named_at.get(owner, -NAMED_EVERY_S) >= NAMED_EVERY_S:
            self._named_at[owner] = now
            who = f"Host {owner} tells" if owner != STRANGERS else "Hosts of which nothing is known tell"
            LOG.warning(
                "%s more than is taken of one host: reports dropped since the last time: %d", who, self._dropped.pop(owner)
            )
