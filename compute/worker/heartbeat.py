"""Says every few seconds, and after each operation, what this host is, has and runs."""

import logging
import secrets
import threading
import time
from collections.abc import Callable

from compute.messages import HostReport
from compute.virt.driver import Driver, HostFacts
from compute.virt.errors import DriverError, HypervisorUnreachable
from compute.worker import uptime
from compute.worker.holdings import Holdings
from compute.worker.reporter import Reporter
from portal.core import log

LOG = logging.getLogger(__name__)

EVERY_S = 10.0
_GATHER_S = 0.2
_SAY_AGAIN_S = 600.0


class Heartbeat:
    """A thread that sends HostReports, and calls ``also`` after each. No report is a report too: the hypervisor does not answer."""

    def __init__(
        self,
        driver: Driver,
        reporter: Reporter,
        holdings: Holdings,
        *,
        version: str,
        relay: str,
        resumes: bool = False,
        also: Callable[[], None] = lambda: None,
    ) -> None:
        self._driver = driver
        self._holdings = holdings
        self._reporter = reporter
        self._version = version
        self._relay = relay
        self._resumes = resumes
        self._also = also
        self._boot_id = uptime.boot_id()
        self._worker_id = secrets.token_hex(8)
        self._asked = threading.Event()
        self._ending = threading.Event()
        self._view = ""
        self._said_at = 0.0

    def start(self) -> None:
        """Send the first report at once."""
        threading.Thread(target=self._run, name="heartbeat", daemon=True).start()

    def soon(self) -> None:
        """Something changed: do not wait for the next beat."""
        self._asked.set()

    def stop(self) -> None:
        """Send nothing any more."""
        self._ending.set()

    def beat(self) -> None:
        """Send one report."""
        at = self._reporter.now()
        facts, guests = self._driver.facts(), self._driver.guests()
        images = self._holdings.listed()
        report = HostReport(
            host=self._reporter.host,
            at=at,
            version=self._version,
            facts=facts,
            guests=guests,
            relay=self._relay,
            images=images,
            uptime=uptime.words(),
            boot_id=self._boot_id,
            worker_id=self._worker_id,
            resumes=self._resumes,
        )
        if self._ending.is_set():
            return
        self._reporter.try_send(report)
        self._say(facts)

    def _run(self) -> None:
        while True:
            log.refresh()
            try:
                self._holdings.tidy()
                self.beat()
                self._also()
            except (HypervisorUnreachable, DriverError, OSError) as error:
                LOG.warning("No report of this host: %s", error)
            except Exception:
                LOG.exception("No report of this host")
            if self._asked.wait(EVERY_S):
                time.sleep(_GATHER_S)  # several operations that end together need one report
                self._asked.clear()

    def _say(self, facts: HostFacts) -> None:
        """Log the view when it changed, and now and then."""
        view = (
            f"name={self._reporter.host} phys_ram={facts.memory_mb}MB used_ram={facts.memory_mb_used}MB "
            f"phys_disk={facts.disk_gb}GB used_disk={facts.disk_gb - facts.disk_gb_free}GB "
            f"total_vcpus={facts.vcpus} used_vcpus={facts.vcpus_used} pci_stats=[]"
        )
        # Memory in use moves all the time; only guests and disks are worth a line of their own.
        steady = f"{facts.disk_gb_free} {facts.vcpus_used}"
        now = time.monotonic()
        if steady != self._view or now - self._said_at > _SAY_AGAIN_S:
            self._view, self._said_at = steady, now
            LOG.info("Final resource view: %s", view)
