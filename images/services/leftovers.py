"""What dead processes left in the stores: parts of uploads that ended, and bytes of images that were deleted.

What no record speaks of stays: the database may have been restored from a backup, and then these bytes are wanted. ``images verify``
names it.
"""

import logging

from images.services.verification import Orphan, orphans
from images.states import ImageStatus
from images.stores import registry as stores
from images.stores.base import PART, Store, StoreError

LOG = logging.getLogger(__name__)


def remove() -> int:
    """Remove what is surely nobody's and return how many entries went."""
    removed = 0
    for name in stores.names():
        try:
            store = stores.get(name)
            if not store.read_only:
                removed += sum(_remove(store, orphan) for orphan in list(orphans(store)))
        except (StoreError, OSError) as error:
            LOG.error("Store %s cannot be tidied: %s", name, error)
    return removed


def _remove(store: Store, orphan: Orphan) -> bool:
    image, part = orphan.image, PART.fullmatch(orphan.name)
    if image is None:
        return False
    if part is not None:
        store.discard(part[1], part[2])
    elif image.status != ImageStatus.DELETED or not store.delete(image.pk):
        return False
    LOG.warning("Store %s: removed %s: %s", store.name, orphan.name, orphan.reason)
    return True
