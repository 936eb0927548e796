"""Building one guest: the phases are told and timed, the log reads like nova's."""

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TypeVar

from compute.copy_messages import Unshelve
from compute.messages import Spawn
from compute.virt import admin_password
from compute.virt.driver import BuildProgress, Built, Driver, GuestSpec, ImageCache, RescueSpec
from compute.virt.errors import BuildCancelled, DriverError
from compute.worker.operations import Operations
from compute.worker.reporter import Progress, Reporter

LOG = logging.getLogger(__name__)

Spec = TypeVar("Spec", GuestSpec, RescueSpec)

_LINES = {
    "networking": "Allocating IP information in the background.",
    "block_device_mapping": "Creating image(s)",
    "spawning": "Instance disks are ready, starting the guest",
}


@dataclass
class Timings:
    """Seconds per phase."""

    seconds: dict[str, float] = field(default_factory=dict)
    _phase: str = "preparing"
    _since: float = field(default_factory=time.perf_counter)

    def enter(self, phase: str) -> bool:
        """Begin a phase; False when it goes on already."""
        if phase == self._phase:
            return False
        self.close()
        self._phase = phase
        return True

    def close(self) -> float:
        """End the phase and return how long it took."""
        now = time.perf_counter()
        took = now - self._since
        self.seconds[self._phase] = round(self.seconds.get(self._phase, 0.0) + took, 3)
        self._since = now
        return took


class Builder:
    """Builds guests with one driver and one image cache. While a build runs, ``keeping`` holds its images in the cache.

    ``key`` opens what the control plane sealed.
    """

    def __init__(
        self,
        driver: Driver,
        images: ImageCache,
        reporter: Reporter,
        operations: Operations,
        *,
        key: bytes = b"",
        keeping: Callable[[Iterable[str]], AbstractContextManager[None]] = lambda _image_ids: nullcontext(),
    ) -> None:
        self._driver = driver
        self._key = key
        self._images = images
        self._reporter = reporter
        self._operations = operations
        self._keeping = keeping

    def opened(self, spec: Spec) -> Spec:
        """Return what was sent with its password opened, for the driver alone."""
        return replace(spec, admin_pass=admin_password.opened(self._key, spec.admin_pass))

    def build(self, command: Spawn | Unshelve, timings: Timings) -> Built:
        """Build and start the guest; raises BuildCancelled once its server is to be destroyed."""
        guest = command.guest
        if guest is None:
            raise DriverError("Nothing is said of the guest that is to be built.")
        cancelled = self._operations.cancelled(command.server_id)
        if cancelled():
            raise BuildCancelled(command.server_id)
        LOG.info("Starting instance...")
        LOG.info("Claimed: memory %d MB, disk %d GB, vcpus %d CPU", guest.memory_mb, guest.root_gb, guest.vcpus)
        progress = Progress(self._reporter, command)

        def tell(step: BuildProgress) -> None:
            if cancelled():
                raise BuildCancelled(command.server_id)
            if timings.enter(step.stage):
                LOG.info("%s", _LINES.get(step.stage, step.stage))
            progress.tell(step)

        started = time.perf_counter()
        with self._keeping(part.id for part in (guest.image, guest.kernel, guest.ramdisk) if part is not None):
            built = self._driver.spawn(self.opened(guest), self._images, tell, cancelled)
        timings.close()
        LOG.debug("Guest definition:\n%s", built.definition)
        LOG.info("VM Started")
        LOG.info("Took %.2f seconds to spawn the instance (%s)", time.perf_counter() - started, _list(timings.seconds))
        return built


def _list(seconds: dict[str, float]) -> str:
    return ", ".join(f"{phase} {took:.2f}" for phase, took in seconds.items())
