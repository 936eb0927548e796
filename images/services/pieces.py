"""Uploads in pieces, which go on after an interruption: each piece follows what is safe already, the last one makes the image active.

``upload_offset`` of the record says how many bytes are safe. It moves only after they are, by a conditional update, and while the part
is locked; what lies in the part beyond it is cut off by the next piece. Nothing but the part outlives a piece: what was measured on the
way would die with its process, so the whole is read once more, hashed and inspected, when the last piece is there.
"""

import logging

from django.utils.translation import gettext as _

from images import policies, selectors
from images.models import Image
from images.services import data, locations
from images.services.data import Upload
from images.services.ingest import Arrival, Ingest
from images.services.steps.signature import verifier_for
from images.states import ImageStatus
from images.stores import registry as stores
from images.stores.base import NoData, Part, PartBusy, ResumingStore, Store, StoreError
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, CloudError, Conflict
from portal.core.policy import authorize

LOG = logging.getLogger(__name__)


class OutOfStep(CloudError):
    """A piece does not follow what is safe already, the first ``offset`` bytes."""

    status = 416
    title = "Range Not Satisfiable"

    def __init__(self, offset: int) -> None:
        super().__init__(_("The next piece of the upload begins at byte %(offset)s.") % {"offset": offset})
        self.offset = offset


class Reread(Ingest):
    """The judgement of bytes that lie in their part already."""

    def _store(self, batch: bytes) -> None:
        self._inspection.feed(batch)


def may_resume(store: str | None = None) -> bool:
    """Return whether an image can be sent to a store in pieces."""
    return isinstance(data.writable_store(store), ResumingStore)


def progress(*, ctx: RequestContext, image_id: str, total: int) -> int:
    """Return how many of an upload's bytes are safe; all of them once the image is active. Raises Conflict when it is another upload."""
    image = selectors.get_image(ctx, image_id)
    authorize(ctx, policies.UPLOAD_IMAGE, image)
    if image.status == ImageStatus.QUEUED:
        return 0
    if image.has_data and image.size == total:
        return total
    return _offset(image, total)


def begin(*, ctx: RequestContext, image_id: str, start: int, total: int, store: str | None = None) -> Upload:
    """Return the upload that a piece belongs to, a new one for the first; refuses before the first byte what can be known to fail."""
    image = selectors.get_image(ctx, image_id)
    authorize(ctx, policies.UPLOAD_IMAGE, image)
    if image.status == ImageStatus.QUEUED:
        _require_resuming(data.writable_store(store))
    offset = 0 if image.status == ImageStatus.QUEUED else _offset(image, total)
    if start != offset:
        raise OutOfStep(offset)
    if image.status == ImageStatus.QUEUED:
        return data.begin_upload(ctx=ctx, image_id=image_id, length=total, store=store, offset=0)
    return Upload(
        image_id=image.pk,
        upload_id=str(image.upload_id),
        owner=image.owner,
        disk_format=str(image.disk_format),
        container_format=str(image.container_format),
        store=str(image.upload_store),
        limit=total,
        expected=total,
    )


def open_part(upload: Upload, start: int) -> Part:
    """Return where the piece's bytes go, locked; raises Conflict while another writes there, Gone when it is lost."""
    store = _require_resuming(stores.get(upload.store))
    try:
        return _found_or_made(store, upload, start)
    except PartBusy as error:
        raise Conflict(str(error)) from error
    except NoData:
        raise data.lost(upload) from None
    except StoreError as error:
        raise locations.as_cloud_error(error) from error


def take_turn(upload: Upload, start: int) -> None:
    """Note that a piece begins, after its part was locked; raises OutOfStep or Gone when another changed something before."""
    if Image.objects.move_upload(upload.image_id, upload.upload_id, start, start):
        return
    now = Image.objects.filter(pk=upload.image_id, upload_id=upload.upload_id).first()
    if now is None or now.status != ImageStatus.SAVING or now.upload_offset is None:
        raise data.lost(upload)
    raise OutOfStep(now.upload_offset)


def refuse_finished(upload: Upload) -> None:
    """Raise Conflict when another finished the upload before this piece had its turn: nothing is gone then."""
    image = Image.objects.present().filter(pk=upload.image_id, status=ImageStatus.ACTIVE).first()
    if image is not None:
        raise data.no_transition(image, ImageStatus.SAVING)


def arrival(part: Part, start: int, length: int) -> Arrival:
    """Return what takes the bytes of a piece, behind those that are safe."""
    part.cut(start)
    return Arrival(writer=part, limit=length, expected=length)


def acknowledge(upload: Upload, start: int, offset: int) -> None:
    """Note that the bytes up to ``offset`` are safe; raises Gone when the upload lost its image."""
    if not Image.objects.move_upload(upload.image_id, upload.upload_id, start, offset):
        raise data.lost(upload)


def whole(upload: Upload, part: Part) -> Ingest:
    """Return what judges all bytes of the upload when its last piece is there."""
    image = Image.objects.get(pk=upload.image_id)
    return Reread(
        writer=part,
        disk_format=str(image.disk_format),
        container_format=str(image.container_format),
        verifier=verifier_for(image.custom),
        limit=upload.limit,
        expected=upload.expected,
    )


def cancel(*, ctx: RequestContext, image_id: str) -> None:
    """Throw away what has arrived of an upload in pieces, and put the image back to queued."""
    image = selectors.get_image(ctx, image_id)
    authorize(ctx, policies.UPLOAD_IMAGE, image)
    if image.status != ImageStatus.SAVING or image.upload_offset is None:
        raise Conflict(_("No upload in pieces is under way for this image."))
    upload_id, store = str(image.upload_id), str(image.upload_store)
    if Image.objects.abort_upload(image.pk, upload_id):
        discard(image.pk, upload_id, store)
        LOG.info("Upload of image %s is cancelled after %d bytes", image.pk, image.upload_offset)


def discard(image_id: str, upload_id: str, store: str) -> None:
    """Throw away an upload's part; where its store does not answer, the sweep of leftovers does it."""
    try:
        stores.get(store).discard(image_id, upload_id)
    except StoreError as error:
        LOG.error("What has arrived of image %s stays there: %s", image_id, error)


def _offset(image: Image, total: int) -> int:
    """Return where the image's upload stands; raises Conflict when it is none in pieces of a whole of ``total`` bytes."""
    if image.status != ImageStatus.SAVING or image.upload_offset is None:
        raise data.no_transition(image, ImageStatus.SAVING)
    if image.upload_bytes != total:
        raise Conflict(_("An upload of %(size)s bytes is under way for this image.") % {"size": image.upload_bytes})
    return image.upload_offset


def _require_resuming(store: Store) -> ResumingStore:
    if not isinstance(store, ResumingStore):
        raise BadRequest(_("The image store %(store)s takes an image in one piece only.") % {"store": store.name})
    return store


def _found_or_made(store: ResumingStore, upload: Upload, start: int) -> Part:
    try:
        return store.resume(upload.image_id, upload.upload_id)
    except NoData:
        if start:
            raise
    return store.writer(upload.image_id, upload.upload_id, upload.expected)
