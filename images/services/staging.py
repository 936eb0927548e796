"""The staging area: bytes that were sent for an image and wait for their import.

Staging is an upload like any other, with the functions of ``services.data`` under the same names; what has arrived belongs to no store
of images yet, and is neither hashed nor inspected. Follows the Image API reference, "Stage binary image data".
"""

import logging

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from images import policies, selectors
from images.models import Image
from images.models.image import new_uuid
from images.services import data, limits, locations
from images.services.data import Upload, abort_upload, keep_alive
from images.services.ingest import Arrival
from images.states import ImageStatus
from images.stores import registry as stores
from images.stores.base import StoreError
from portal.core.context import RequestContext
from portal.core.errors import Gone, NotFound
from portal.core.policy import authorize

__all__ = ["abort_upload", "begin_upload", "clear", "finish_upload", "keep_alive", "open_ingest"]

LOG = logging.getLogger(__name__)


def begin_upload(*, ctx: RequestContext, image_id: str, length: int | None, store: str | None = None) -> Upload:
    """Take a queued image for bytes that are to be staged, before the first of them."""
    if "glance-direct" not in settings.IMAGE_IMPORT_METHODS:
        raise NotFound("Method", "glance-direct", _("'glance-direct' method is not available at this site."))
    image = selectors.get_image(ctx, image_id)
    authorize(ctx, policies.MODIFY_IMAGE, image)
    area = stores.staging()
    limit = data.size_limit(area, length, limits.remaining_staging(image.owner))
    upload_id = new_uuid()
    with transaction.atomic():
        limits.admit_staging(image.owner, length or 0)
        taken = Image.objects.begin_upload(
            image.pk, upload_id=upload_id, store=area.name, reserved_bytes=length or 0, status=ImageStatus.UPLOADING
        )
        locations.require_room(image.pk, area.name)
    if not taken:
        raise data.no_transition(image, ImageStatus.UPLOADING)
    LOG.info("Staging of image %s begins: %s bytes", image.pk, length)
    return Upload(
        image_id=image.pk,
        upload_id=upload_id,
        owner=image.owner,
        disk_format="",
        container_format="",
        store=area.name,
        limit=limit,
        expected=length,
    )


def open_ingest(upload: Upload) -> Arrival:
    """Return where the bytes go."""
    try:
        writer = stores.staging().writer(upload.image_id, upload.upload_id, upload.expected)
    except StoreError as error:
        raise locations.as_cloud_error(error) from error
    return Arrival(writer=writer, limit=upload.limit, expected=upload.expected)


def finish_upload(upload: Upload, size: int) -> None:
    """Let what has arrived wait for its import; without its record it does not stay."""
    try:
        with transaction.atomic():
            limits.admit_staged(upload.owner, size, upload.image_id)
            if not Image.objects.finish_staging(upload.image_id, upload.upload_id, size):
                raise data.lost(upload)
    except Gone:
        clear(upload.image_id)
        raise
    LOG.info("Image %s is staged: %d bytes", upload.image_id, size)


def clear(image_id: str) -> None:
    """Throw away what is staged for an image."""
    try:
        stores.staging().delete(image_id)
    except StoreError as error:
        LOG.error("What is staged of image %s stays there: %s", image_id, error)
