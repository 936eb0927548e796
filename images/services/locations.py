"""Where an image's bytes lie: which copy is read, when a copy goes, and what remains to be deleted.

A copy is deleted in two steps. Its row is doomed with the change that made it superfluous; the bytes follow, and the row goes with
them. A store that does not answer now is asked again by the sweep, so no copy is forgotten.
"""

import logging
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from images import policies
from images.models import Image, ImageLocation
from images.states import ImageStatus
from images.stores import registry as stores
from images.stores.base import NoData, Reader, StoreError, StoreFull
from portal.core.context import RequestContext
from portal.core.errors import CloudError, Conflict, Forbidden, NotFound, TooLarge, Unavailable
from portal.core.policy import authorize

LOG = logging.getLogger(__name__)

_OCCUPIED = gettext_noop("An earlier copy of image %(image)s is still to be removed from store %(store)s.")


def in_order(image: Image) -> list[ImageLocation]:
    """Return an image's copies, that of the heaviest store first."""
    present = [row for row in image.locations.all() if not row.doomed]
    return sorted(present, key=reading_order)


def copies(image: Image) -> int:
    """Return how many copies lie in stores of ours, which count against the quota; addresses elsewhere do not."""
    return sum(not row.address for row in in_order(image))


def reading_order(row: ImageLocation) -> tuple[int, str, int]:
    """Return what copies are ordered by: that of the heaviest store is read first."""
    return -stores.weight(row.store), row.store, row.pk


def url_of(row: ImageLocation) -> str:
    """Return where a copy lies, as operators see it."""
    if row.address:
        return row.address
    try:
        return stores.get(row.store).url(row.image_id)
    except StoreError:
        return f"{row.store}:{row.image_id}"


def open_reader(image: Image) -> Reader:
    """Return the bytes of an image, of the first copy that can be read; raises NotFound or Unavailable."""
    failure: StoreError = NoData(f"No data of image {image.pk}.")
    for row in in_order(image):
        try:
            return stores.get(row.store).open(row.address or row.image_id)
        except StoreError as error:
            LOG.error("Image %s cannot be read from store %s: %s", image.pk, row.store, error)
            failure = error
    if isinstance(failure, NoData):
        raise NotFound("Image data", image.pk) from failure
    raise as_cloud_error(failure) from failure


def add(image_id: str, names: Iterable[str]) -> None:
    """Note whole copies of an image's bytes in stores of ours."""
    ImageLocation.objects.bulk_create(ImageLocation(image_id=image_id, store=name) for name in names)


def add_address(image_id: str, store: str, address: str, metadata: dict[str, Any] | None = None) -> None:
    """Note an address at which an image's bytes lie; one that is noted already stays as it is."""
    ImageLocation.objects.get_or_create(image_id=image_id, store=store, address=address, defaults={"metadata": metadata or {}})


def discard(image_id: str, names: Iterable[str]) -> None:
    """Let bytes go that entered stores and became no copy of the image, when the present transaction commits."""
    present = set(ImageLocation.objects.filter(image=image_id, address="").values_list("store", flat=True))
    left = [ImageLocation(image_id=image_id, store=name, doomed=True) for name in names if name not in present]
    doom(ImageLocation.objects.bulk_create(left))


def make_room(image_id: str, store: str) -> None:
    """Finish deleting an earlier copy in a store before a new one is written there; raises StoreError while it cannot."""
    _delete_all(ImageLocation.objects.filter(image=image_id, store=store, address="", doomed=True))
    if _occupied(image_id, store):
        raise StoreError(_OCCUPIED % {"image": image_id, "store": store})


def require_room(image_id: str, store: str) -> None:
    """Let an upload begin whose store holds no earlier copy that is still to be deleted; raises Unavailable."""
    if _occupied(image_id, store):
        raise Unavailable(_(_OCCUPIED) % {"image": image_id, "store": store})


def forget_addresses(image_id: str) -> None:
    """Forget addresses that were noted for an image whose bytes now lie in a store of ours."""
    ImageLocation.objects.filter(image=image_id).exclude(address="").delete()


def delete_from_store(*, ctx: RequestContext, image: Image, store: str) -> None:
    """Delete one of several copies of an image."""
    if store not in stores.names():
        raise Conflict(_("The selected store %(store)s is not available on this node.") % {"store": store})
    authorize(ctx, policies.GET_IMAGE_LOCATION, image)
    authorize(ctx, policies.DELETE_IMAGE_LOCATION, image)
    with transaction.atomic():
        locked = Image.objects.select_for_update().get(pk=image.pk)
        present = ImageLocation.objects.filter(image=image, doomed=False)
        if locked.status != ImageStatus.ACTIVE or locked.import_task_id:
            raise Conflict(_("It's not allowed to remove image data from store if image status is not 'active'"))
        if not present.filter(store=store).exists():
            said = _("Image %(image)s is not stored in store %(store)s.") % {"image": image.pk, "store": store}
            raise NotFound("Store", store, said)
        if present.count() == 1:
            raise Forbidden(
                _("Cannot delete image data from the only store containing it. Consider deleting the image instead.")
            )
        doom(present.filter(store=store))
    LOG.info("Image %s is deleted from store %s", image.pk, store)


def doom(rows: Iterable[ImageLocation]) -> None:
    """Let copies be deleted when the present transaction commits."""
    found = list(rows)
    ImageLocation.objects.filter(pk__in=[row.pk for row in found]).update(doomed=True)
    transaction.on_commit(lambda: _delete_all(found))


def sweep() -> int:
    """Delete what is still waiting to be deleted; return how many copies went."""
    return _delete_all(ImageLocation.objects.filter(doomed=True)[:500])


def as_cloud_error(error: StoreError) -> CloudError:
    """Return what a client is told about a store's failure."""
    if isinstance(error, StoreFull):
        return TooLarge(_("Image storage media is full: there is not enough disk space for the image."))
    return Unavailable(str(error))


def _delete_all(rows: Iterable[ImageLocation]) -> int:
    return sum(map(_delete, rows))


def _delete(row: ImageLocation) -> bool:
    """Delete one doomed copy, holding its row so that nobody writes a new copy to the same place meanwhile."""
    with transaction.atomic():
        held = ImageLocation.objects.select_for_update().filter(pk=row.pk, doomed=True).first()
        if held is None:
            return False
        try:
            if not held.address:
                stores.get(held.store).delete(held.image_id)
        except StoreError as error:
            LOG.error("The data of image %s stays in store %s for now: %s", held.image_id, held.store, error)
            return False
        held.delete()
    return True


def _occupied(image_id: str, store: str) -> bool:
    return ImageLocation.objects.filter(image=image_id, store=store, address="", doomed=True).exists()
