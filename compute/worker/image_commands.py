"""The commands about this host's image cache: fetch ahead of any server, and evict."""

import logging
from collections.abc import Callable
from typing import Any

from compute.messages import EvictImage, FetchImage, ImageNotFetched
from compute.virt.driver import BuildProgress, ImageCache
from compute.virt.errors import DriverError
from compute.worker.holdings import Holdings
from compute.worker.operations import Operations
from compute.worker.reporter import Reporter

LOG = logging.getLogger(__name__)


class _NotWanted(Exception):
    """The image was evicted while it was being fetched."""


class ImageCommands:
    """Carries them out on one host. What they changed is in the host's next report, which ``after`` calls for."""

    def __init__(
        self,
        images: ImageCache,
        holdings: Holdings,
        reporter: Reporter,
        operations: Operations,
        *,
        after: Callable[[], None] = lambda: None,
    ) -> None:
        self._images = images
        self._holdings = holdings
        self._reporter = reporter
        self._operations = operations
        self._after = after

    def handlers(self) -> dict[type, Callable[[Any], None]]:
        """Return what takes each kind of command."""
        return {FetchImage: self.fetch, EvictImage: self.evict}

    def fetch(self, command: FetchImage) -> None:
        """Bring an image, checked as for a build; one that is here already is a success."""
        cancelled = self._operations.cancelled(_key(command.request_id, command.image.id))

        def tell(_step: BuildProgress | None = None) -> None:
            if cancelled():
                raise _NotWanted

        try:
            tell()
            self._images.fetch(command.image, tell)
        except _NotWanted:
            LOG.info("Image %s is not wanted any more", command.image.id)
        except DriverError as error:
            LOG.warning("Image %s was not fetched: %s", command.image.id, error)
            self._refuse(command, str(error))
        self._after()

    def evict(self, command: EvictImage) -> None:
        """Remove an image that no disk uses. A fetch of it that this command cancels ends first or never begins."""
        if command.cancels:
            self._operations.condemn(_key(command.cancels, command.image_id))
        try:
            self._holdings.evict(command.image_id)
        except (DriverError, OSError) as error:
            LOG.warning("Image %s stays in the cache: %s", command.image_id, error)
        self._after()

    def give_up(self, command: Any) -> None:
        """Report a fetch that was tried often enough."""
        if isinstance(command, FetchImage):
            self._refuse(command, f"Host {self._reporter.host} could not fetch the image.")

    def _refuse(self, command: FetchImage, fault: str) -> None:
        self._reporter.send(ImageNotFetched(self._reporter.host, command.image.id, command.request_id, fault))


def _key(request_id: str, image_id: str) -> str:
    """Name one fetch: a request may ask for several images, and an image is asked for again."""
    return f"{request_id}/{image_id}"
