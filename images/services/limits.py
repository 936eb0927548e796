"""Quotas of images: how many, and how many MiB of data, a project may have.

Names and units are those of OpenStack's unified limits. What a running upload has announced counts as used, and what it really
brought is admitted again under the project's lock before the image becomes active, so parallel uploads cannot pass a limit.
"""

from django.db.models import Q, Sum

from accounts.services import quotas
from accounts.services.quotas import Resource
from images.models import Image
from images.states import ImageStatus
from portal.core.errors import QuotaExceeded, TooLarge

MIB = 1 << 20
IMAGES = "image_count_total"
UPLOADS = "image_count_uploading"
TOTAL_MIB = "image_size_total"


def declare() -> None:
    """Make the resources of images known to the quota service."""
    defaults = {IMAGES: 1000, UPLOADS: 32, TOTAL_MIB: 1 << 20}
    quotas.declare({name: Resource("image", name, limit) for name, limit in defaults.items()}, in_use)


def in_use(project_ids: list[str]) -> dict[str, int]:
    """Return what the images of projects take of a quota, together, counted from the rows."""
    present = Image.objects.present().filter(owner__in=project_ids)
    uploads = Image.objects.filter(owner__in=project_ids, status=ImageStatus.SAVING)
    return {IMAGES: present.count(), UPLOADS: uploads.count(), TOTAL_MIB: _mib(used_bytes(project_ids))}


def admit_image(project_id: str | None) -> None:
    """Let one more image of the project in, inside the caller's transaction; raises TooLarge."""
    if project_id is None:
        return
    quotas.lock(project_id)
    _admit(project_id, IMAGES, wanted=1, used=in_use([project_id])[IMAGES])


def admit_upload(project_id: str | None, size: int) -> None:
    """Let an upload of ``size`` bytes begin, inside the caller's transaction; raises TooLarge."""
    if project_id is None:
        return
    quotas.lock(project_id)
    used = in_use([project_id])
    _admit(project_id, UPLOADS, wanted=1, used=used[UPLOADS])
    _admit(project_id, TOTAL_MIB, wanted=_mib(size), used=used[TOTAL_MIB])


def admit_arrived(project_id: str | None, size: int, image_id: str) -> None:
    """Let an upload that has arrived stay, inside the caller's transaction; raises TooLarge."""
    if project_id is None:
        return
    quotas.lock(project_id)
    _admit(project_id, TOTAL_MIB, wanted=_mib(size), used=_mib(used_bytes([project_id], without=image_id)))


def remaining_bytes(project_id: str | None) -> int | None:
    """Return how many bytes the project may still store, or None when there is no limit."""
    if project_id is None:
        return None
    left = quotas.rooms(project_id, {TOTAL_MIB: _mib(used_bytes([project_id]))}).get(TOTAL_MIB)
    return None if left is None else left * MIB


def used_bytes(project_ids: list[str], without: str | None = None) -> int:
    """Return what the images of projects hold and what their running uploads have announced."""
    mine = Image.objects.present().filter(owner__in=project_ids).exclude(pk=without)
    stored = Q(status__in=[ImageStatus.ACTIVE, ImageStatus.DEACTIVATED])
    sums = mine.aggregate(stored=Sum("size", filter=stored), announced=Sum("upload_bytes"))
    return (sums["stored"] or 0) + (sums["announced"] or 0)


def _mib(size: int) -> int:
    return -(-size // MIB)


def _admit(project_id: str, resource: str, wanted: int, used: int) -> None:
    try:
        quotas.admit(project_id, {resource: wanted}, {resource: used})
    except QuotaExceeded as error:  # the Image API answers 413 where others answer 403
        raise TooLarge(error.message) from error
