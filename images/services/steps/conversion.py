"""Conversion: a staged disk becomes the operator's preferred format before it is stored, if a format is preferred."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from images.models import Image
from portal.core.disks import qemu_img
from portal.core.disks.child import ChildError
from portal.core.disks.inspection import Refused, inspect_file
from portal.core.errors import BadRequest, Unavailable

LOG = logging.getLogger(__name__)

CONTAINER_FORMAT = "bare"
_LEFT_ALONE = frozenset({"iso", "ploop", "ami", "aki", "ari"})


@dataclass(frozen=True)
class Converted:
    """A staged file in another format, and what the record must say of it."""

    path: Path
    disk_format: str
    size: int
    virtual_size: int


def convert(*, image: Image, staged: Path, target: Path, still_wanted: Callable[[], None] | None = None) -> Converted | None:
    """Write the new file ``target`` and return it, or None where nothing is to be done; raises BadRequest and leaves no file.

    What comes out is inspected as well: a disk whose first sector is another format's header must not become a raw image.
    """
    wanted: str | None = settings.IMAGE_CONVERSION_FORMAT
    source_format = str(image.disk_format)
    if not wanted or image.container_format != CONTAINER_FORMAT or source_format in _LEFT_ALONE:
        return None
    if qemu_img.FORMATS[source_format] == qemu_img.FORMATS[wanted]:
        return None
    try:
        virtual_size = inspect_file(staged, source_format, settings.IMAGE_MAX_VIRTUAL_BYTES) or 0
        qemu_img.convert(
            staged,
            qemu_img.FORMATS[source_format],
            target,
            qemu_img.FORMATS[wanted],
            virtual_bytes=virtual_size,
            still_wanted=still_wanted,
        )
        found = inspect_file(target, wanted, settings.IMAGE_MAX_VIRTUAL_BYTES) or 0
    except Refused as error:
        target.unlink(missing_ok=True)
        raise BadRequest(str(error)) from error
    except ChildError as error:
        raise Unavailable(f"The image could not be converted from {source_format} to {wanted}: {error}") from error
    LOG.info("Image %s was converted from %s to %s", image.pk, source_format, wanted)
    return Converted(target, wanted, target.stat().st_size, found)
