"""What the bytes of an upload really are, judged while they flow past: content against the formats of the record."""

from django.conf import settings

from images.services import containers
from portal.core.disks.inspection import Refused
from portal.core.errors import BadRequest


class Inspection:
    """Watches one upload of declared formats."""

    def __init__(self, disk_format: str, container_format: str = "bare") -> None:
        self._watch = containers.watch(container_format, disk_format, settings.IMAGE_MAX_VIRTUAL_BYTES)

    def feed(self, data: bytes) -> None:
        """Look at the next bytes; raises BadRequest as soon as they cannot be what was declared."""
        try:
            self._watch.feed(data)
        except Refused as error:
            raise BadRequest(str(error)) from error

    def conclude(self, size: int) -> int | None:
        """Return the virtual size of content of ``size`` bytes, or None where there is none; raises BadRequest."""
        try:
            return self._watch.conclude(size)
        except Refused as error:
            raise BadRequest(str(error)) from error
