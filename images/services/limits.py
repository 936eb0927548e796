"""Quotas of images: how many, and how many MiB of data, a project may have.

Names and units are those of OpenStack's unified limits. What a running upload has announced counts as used, and what it really
brought is admitted again under the project's lock before the image becomes active, so parallel uploads cannot pass a limit.
"""

from collections.abc import Callable, Mapping

from django.db.models import Sum

from accounts.services import quotas
from accounts.services.quotas import Resource
from images.models import Image, ImageLocation
from images.states import ImageStatus
from portal.core.errors import QuotaExceeded, TooLarge

MIB = 1 << 20
IMAGES = "image_count_total"
UPLOADS = "image_count_uploading"
TOTAL_MIB = "image_size_total"
STAGED_MIB = "image_stage_total"
_STORED = (ImageStatus.ACTIVE, ImageStatus.DEACTIVATED)
_STAGED = (ImageStatus.UPLOADING, ImageStatus.IMPORTING)

Count = Callable[[list[str], str | None], int]


def declare() -> None:
    """Make the resources of images known to the quota service."""
    defaults = {IMAGES: 1000, UPLOADS: 32, TOTAL_MIB: 1 << 20, STAGED_MIB: 1 << 20}
    quotas.declare({name: Resource("image", name, limit) for name, limit in defaults.items()}, in_use)


def in_use(project_ids: list[str]) -> dict[str, int]:
    """Return what the images of projects take of a quota, together, counted from the rows."""
    present = Image.objects.present().filter(owner__in=project_ids)
    return {
        IMAGES: present.count(),
        UPLOADS: present.filter(status__in=[ImageStatus.SAVING, *_STAGED]).count(),
        TOTAL_MIB: _mib(used_bytes(project_ids)),
        STAGED_MIB: _mib(staged_bytes(project_ids)),
    }


def usage(project_id: str) -> dict[str, dict[str, int]]:
    """Return each quota of a project, and what it takes of that."""
    allowed = quotas.limits(project_id)
    return {name: {"usage": used, "limit": allowed[name]} for name, used in in_use([project_id]).items()}


def admit_image(project_id: str | None) -> None:
    """Let one more image of the project in, inside the caller's transaction; raises TooLarge."""
    if project_id is None:
        return
    quotas.lock(project_id)
    _admit(project_id, IMAGES, wanted=1, used=in_use([project_id])[IMAGES])


def admit_upload(project_id: str | None, size: int) -> None:
    """Let an upload of ``size`` bytes begin, inside the caller's transaction; raises TooLarge."""
    _admit_all(project_id, {UPLOADS: 1, TOTAL_MIB: _mib(size)})


def admit_staging(project_id: str | None, size: int) -> None:
    """Let ``size`` bytes be staged, inside the caller's transaction; raises TooLarge."""
    _admit_all(project_id, {UPLOADS: 1, STAGED_MIB: _mib(size)})


def admit_import(project_id: str | None, size: int | None, copies: int) -> None:
    """Let an import begin, of as many copies of ``size`` bytes, inside the caller's transaction; raises TooLarge.

    What is not yet here has no size: it counts as another upload, and there must be room for something.
    """
    if size is None:
        _admit_all(project_id, {UPLOADS: 1, TOTAL_MIB: 1, STAGED_MIB: 1})
    else:
        _admit_all(project_id, {TOTAL_MIB: _mib(size * copies)})


def admit_arrived(project_id: str | None, size: int, image_id: str) -> None:
    """Let an upload that has arrived stay, inside the caller's transaction; raises TooLarge."""
    _admit_one(project_id, TOTAL_MIB, size, used_bytes, image_id)


def admit_staged(project_id: str | None, size: int, image_id: str) -> None:
    """Let what was staged stay there, inside the caller's transaction; raises TooLarge."""
    _admit_one(project_id, STAGED_MIB, size, staged_bytes, image_id)


def remaining_bytes(project_id: str | None) -> int | None:
    """Return how many bytes the project may still store, or None when there is no limit."""
    return _remaining(project_id, TOTAL_MIB, used_bytes)


def remaining_staging(project_id: str | None) -> int | None:
    """Return how many bytes the project may still stage, or None when there is no limit."""
    return _remaining(project_id, STAGED_MIB, staged_bytes)


def used_bytes(project_ids: list[str], without: str | None = None) -> int:
    """Return what the copies of projects' images take and what their running uploads have announced."""
    present = Image.objects.present().filter(owner__in=project_ids).exclude(pk=without)
    copies = ImageLocation.objects.filter(image__in=present.filter(status__in=_STORED), address="", doomed=False)
    announced = present.filter(status=ImageStatus.SAVING).aggregate(sum=Sum("upload_bytes"))
    return (copies.aggregate(sum=Sum("image__size"))["sum"] or 0) + (announced["sum"] or 0)


def staged_bytes(project_ids: list[str], without: str | None = None) -> int:
    """Return what projects have in the staging area, and what is announced for it."""
    staged = Image.objects.filter(owner__in=project_ids, status__in=_STAGED).exclude(pk=without)
    return staged.aggregate(sum=Sum("upload_bytes"))["sum"] or 0


def _admit_all(project_id: str | None, wanted: Mapping[str, int]) -> None:
    if project_id is None:
        return
    quotas.lock(project_id)
    used = in_use([project_id])
    for resource, amount in wanted.items():
        _admit(project_id, resource, wanted=amount, used=used[resource])


def _admit_one(project_id: str | None, resource: str, size: int, count: Count, image_id: str) -> None:
    if project_id is None:
        return
    quotas.lock(project_id)
    _admit(project_id, resource, wanted=_mib(size), used=_mib(count([project_id], image_id)))


def _remaining(project_id: str | None, resource: str, count: Count) -> int | None:
    if project_id is None:
        return None
    left = quotas.rooms(project_id, {resource: _mib(count([project_id], None))}).get(resource)
    return None if left is None else left * MIB


def _mib(size: int) -> int:
    return -(-size // MIB)


def _admit(project_id: str, resource: str, wanted: int, used: int) -> None:
    try:
        quotas.admit(project_id, {resource: wanted}, {resource: used})
    except QuotaExceeded as error:  # the Image API answers 413 where others answer 403
        raise TooLarge(error.message) from error
