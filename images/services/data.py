"""An image's bytes: who may send and fetch them, and what becomes of the record.

Follows the Image API reference, "Upload binary image data" and "Download binary image data".
"""

import logging
from dataclasses import asdict, dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from images import policies, selectors
from images.models import Image
from images.models.image import new_uuid
from images.services import limits, locations
from images.services.ingest import Content, Ingest
from images.services.steps.signature import Verifier, verifier_for
from images.states import ImageStatus
from images.stores import registry as stores
from images.stores.base import Reader, Store, StoreError, StoreFull
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Conflict, Forbidden, Gone, TooLarge
from portal.core.policy import authorize

LOG = logging.getLogger(__name__)

SILENT_UPLOAD = timedelta(minutes=5)
KEPT_UPLOAD = timedelta(hours=24)
ROOM_TO_KEEP = 64 << 20


@dataclass(frozen=True)
class Upload:
    """An upload that may write to an image; ``limit`` is the most it may bring."""

    image_id: str
    upload_id: str
    owner: str | None
    disk_format: str
    store: str
    limit: int
    expected: int | None
    container_format: str = "bare"
    verifier: Verifier | None = None


def begin_upload(
    *, ctx: RequestContext, image_id: str, length: int | None, store: str | None = None, offset: int | None = None
) -> Upload:
    """Take a queued image for the caller's upload, before the first byte; refuses what can be known to fail.

    An upload with an ``offset`` arrives in pieces.
    """
    image = selectors.get_image(ctx, image_id)
    authorize(ctx, policies.UPLOAD_IMAGE, image)
    require_formats(image)
    verifier = verifier_for(image.custom)
    place = writable_store(store)
    limit = size_limit(place, length, limits.remaining_bytes(image.owner))
    upload_id = new_uuid()
    with transaction.atomic():
        limits.admit_upload(image.owner, length or 0)
        taken = Image.objects.begin_upload(
            image.pk, upload_id=upload_id, store=place.name, reserved_bytes=length or 0, offset=offset
        )
        locations.require_room(image.pk, place.name)
    if not taken:
        raise no_transition(image, ImageStatus.SAVING)
    LOG.info("Upload of image %s begins: %s bytes to store %s", image.pk, length, place.name)
    return Upload(
        image_id=image.pk,
        upload_id=upload_id,
        owner=image.owner,
        disk_format=str(image.disk_format),
        container_format=str(image.container_format),
        store=place.name,
        limit=limit,
        expected=length,
        verifier=verifier,
    )


def open_ingest(upload: Upload) -> Ingest:
    """Return where the upload's bytes go."""
    try:
        writer = stores.get(upload.store).writer(upload.image_id, upload.upload_id, upload.expected)
    except StoreError as error:
        raise locations.as_cloud_error(error) from error
    return Ingest(
        writer=writer,
        disk_format=upload.disk_format,
        container_format=upload.container_format,
        verifier=upload.verifier,
        limit=upload.limit,
        expected=upload.expected,
    )


def keep_alive(upload: Upload) -> None:
    """Note that the upload still runs; raises Gone when it lost its image."""
    if not Image.objects.upload_alive(upload.image_id, upload.upload_id):
        raise lost(upload)


def finish_upload(upload: Upload, content: Content) -> None:
    """Make the image active with what arrived; without its record the data does not stay."""
    try:
        with transaction.atomic():
            limits.admit_arrived(upload.owner, content.size, upload.image_id)
            if not Image.objects.finish_upload(upload.image_id, upload.upload_id, **asdict(content)):
                raise lost(upload)
            locations.forget_addresses(upload.image_id)
            locations.add(upload.image_id, [upload.store])
    except Gone:
        with transaction.atomic():
            locations.discard(upload.image_id, [upload.store])
        raise
    LOG.info("Image %s is active: %d bytes, md5 %s", upload.image_id, content.size, content.checksum)


def abort_upload(upload: Upload, reason: str) -> None:
    """Put the image back to queued; its part is thrown away by whoever wrote it, data that had its final name already from here."""
    with transaction.atomic():
        mine = Image.objects.abort_upload(upload.image_id, upload.upload_id)
        if mine:
            locations.discard(upload.image_id, [upload.store])
    if mine:
        LOG.warning("Upload of image %s ended without success: %s", upload.image_id, reason)


def reclaim_silent_uploads(older_than: timedelta = SILENT_UPLOAD, kept: timedelta = KEPT_UPLOAD) -> int:
    """Put images whose upload died with its process, or was not gone on with in time, back to queued, unless they are deleted.

    Clears what the upload left; returns how many there were.
    """
    now = timezone.now()
    return sum(map(reclaim, Image.objects.silent_uploads(now - older_than, now - kept)))


def reclaim(image: Image) -> bool:
    """Put an image whose upload is surely dead back to queued and throw away what it wrote; False when there is no such upload."""
    upload_id = str(image.upload_id)
    try:
        store = stores.get(image.upload_store)
        with transaction.atomic():
            rows = Image.objects
            if not (rows.abort_upload(image.pk, upload_id) or rows.forget_upload(image.pk, upload_id)):
                return False
            store.discard(image.pk, upload_id)
            locations.discard(image.pk, [store.name])
    except StoreError as error:
        LOG.error("Upload of image %s went silent, and its store does not answer: %s", image.pk, error)
        return False
    LOG.warning("Upload of image %s went silent; what it left is thrown away", image.pk)
    return True


def open_data(*, ctx: RequestContext, image_id: str) -> tuple[Image, Reader | None]:
    """Return an image the caller may download and its data, None while there is none."""
    image = selectors.get_image(ctx, image_id)
    authorize(ctx, policies.DOWNLOAD_IMAGE, image)
    if image.status == ImageStatus.DEACTIVATED and not ctx.is_operator:
        raise Forbidden(_("The requested image has been deactivated. Image data download is forbidden."))
    return image, open_reader(image)


def open_reader(image: Image) -> Reader | None:
    """Return an image's data without asking who wants it; None while there is none."""
    return locations.open_reader(image) if image.has_data else None


def require_formats(image: Image) -> None:
    """Let an image take bytes whose formats are known; raises BadRequest."""
    missing = [name for name in ("disk_format", "container_format") if not getattr(image, name)]
    if missing:
        raise BadRequest(_("Properties %(names)s must be set prior to saving data.") % {"names": ", ".join(missing)})


def writable_store(name: str | None) -> Store:
    """Return a store that takes new images; raises BadRequest, or Unavailable for one that is away."""
    try:
        store = stores.get(name)
    except StoreError as error:
        known = name is None or name in stores.names()
        raise locations.as_cloud_error(error) if known else BadRequest(str(error)) from error
    if store.read_only or store.name == stores.STAGING:
        raise BadRequest(_("The image store %(store)s takes no new images.") % {"store": store.name})
    return store


def size_limit(store: Store, length: int | None, left: int | None) -> int:
    """Return the most that may arrive beside what is ``left`` of a quota; raises TooLarge when the announced length cannot fit."""
    free = store.free_bytes()
    room = None if free is None else max(0, free - ROOM_TO_KEEP)
    if length is not None:
        if length > settings.IMAGE_MAX_BYTES:
            said = _("The image has %(size)s bytes; %(most)s are the most that is allowed.")
            raise TooLarge(said % {"size": length, "most": settings.IMAGE_MAX_BYTES})
        if room is not None and length > room:
            raise locations.as_cloud_error(StoreFull())
        return length
    return min(bound for bound in (settings.IMAGE_MAX_BYTES, room, left) if bound is not None)


def no_transition(image: Image, wanted: ImageStatus) -> Conflict:
    """Return the refusal of a change from the status that the image has now."""
    now = Image.objects.filter(pk=image.pk).values_list("status", flat=True).first()
    said = _("Image status transition from %(now)s to %(wanted)s is not allowed")
    return Conflict(said % {"now": now, "wanted": wanted})


def lost(upload: Upload) -> Gone:
    """Return what is said of an upload whose image went away."""
    said = _("Image %(id)s could not be found after upload. The image may have been deleted during the upload.")
    return Gone(said % {"id": upload.image_id})
