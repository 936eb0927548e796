"""Tells the conductor what happens here."""

import logging
import threading
import time

import dramatiq
import redis
from dramatiq.errors import BrokerError

from compute.messages import CONDUCTOR_QUEUE, REPORT_ACTORS, BuildPhase, GuestCommand, Report, pack
from compute.virt.driver import BuildProgress
from portal.core import broker as core_broker

LOG = logging.getLogger(__name__)

UNREACHABLE = (redis.RedisError, BrokerError, ConnectionError)
_EVERY_S = 0.5
_LEAST_STEP_S = 1e-5  # rows keep microseconds


class Reporter:
    """Sends reports to queue ``conductor``."""

    def __init__(self, broker: dramatiq.Broker, host: str) -> None:
        self.host = host
        self._broker = broker
        self._last = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Return the time of what is told now, seconds since the epoch: later than all before, also after the clock was set back."""
        with self._lock:
            self._last = max(time.time(), self._last + _LEAST_STEP_S)
            return self._last

    def send(self, report: Report) -> None:
        """Send a report; raises one of UNREACHABLE when the queue is not there."""
        core_broker.send(self._broker, CONDUCTOR_QUEUE, REPORT_ACTORS[type(report)], pack(report))

    def try_send(self, report: Report) -> bool:
        """Send a report that nobody depends on."""
        try:
            self.send(report)
        except UNREACHABLE as error:
            LOG.warning("A %s was not told: %s", type(report).__name__, error)
            return False
        return True


class Progress:
    """Tells the phases of one build or other long operation: each new stage at once, what moves on within it twice a second."""

    def __init__(self, reporter: Reporter, command: GuestCommand) -> None:
        self._reporter = reporter
        self._command = command
        self._stage = ""
        self._detail = ""
        self._told_at = 0.0

    def tell(self, step: BuildProgress) -> None:
        """Report a step unless the last report is too young."""
        now = time.monotonic()
        complete = step.bytes_total is not None and step.bytes_done == step.bytes_total
        changed = step.stage != self._stage or step.detail != self._detail
        if not changed and not complete and now - self._told_at < _EVERY_S:
            return
        self._stage, self._detail, self._told_at = step.stage, step.detail, now
        self._reporter.try_send(
            BuildPhase(
                host=self._reporter.host,
                server_id=self._command.server_id,
                request_id=self._command.request_id,
                stage=step.stage,
                at=time.time(),
                detail=step.detail,
                bytes_done=step.bytes_done,
                bytes_total=step.bytes_total,
            )
        )
