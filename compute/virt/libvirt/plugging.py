"""Network work in the background of a build."""

import contextvars
import logging
import threading
import time
from collections.abc import Callable

from compute.virt.libvirt.connection import translated

LOG = logging.getLogger(__name__)


class Plugging:
    """Goes on while the disks are made; the build waits for it before the guest starts."""

    def __init__(self, work: Callable[[], None]) -> None:
        LOG.debug("Allocating IP information in the background.")
        self._work = work
        self._fault: BaseException | None = None
        self._started = time.monotonic()
        context = contextvars.copy_context()  # so that its log lines name the request
        self._thread = threading.Thread(target=context.run, args=(self._run,), name="plugging", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait until it ended, well or not."""
        self._thread.join()

    def check(self) -> None:
        """Raise what went wrong."""
        if self._fault is not None:
            raise self._fault

    def _run(self) -> None:
        try:
            with translated():
                self._work()
            LOG.debug("Networks were ready after %.2f seconds", time.monotonic() - self._started)
        except Exception as error:
            self._fault = error
