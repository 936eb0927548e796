"""Steering what is done to an image in the background: what there was last, ending it, and trying again what failed.

The Image API has no calls for this; whoever may ask for an import may end it and ask again.
"""

import logging
from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from images import policies
from images.models import Image, ImageTask
from images.services.imports import outcomes, requests
from images.states import ImageStatus, TaskStatus
from images.stores import registry as stores
from images.stores.base import StoreError
from portal.core.context import RequestContext
from portal.core.errors import Conflict
from portal.core.policy import Rule, authorize

LOG = logging.getLogger(__name__)

CANCELLED = gettext_noop("The import was cancelled.")
_NOTHING_RUNS = gettext_noop("Nothing is imported into this image now.")
_NOTHING_FAILED = gettext_noop("There is no failed import that could be tried again.")
_AGAIN = (requests.WEB, requests.GLANCE)


def cancel(*, ctx: RequestContext, image: Image) -> None:
    """End what is imported into an image. With a run at work the image is free when that has let go: after a few seconds."""
    task = ImageTask.objects.filter(pk=image.import_task_id).first()
    if task is None:
        raise Conflict(_(_NOTHING_RUNS))
    authorize(ctx, rule_of(task), image)
    outcomes.cancel(task, CANCELLED)


def retry(*, ctx: RequestContext, image: Image) -> ImageTask | None:
    """Begin the last import anew, to the same stores."""
    mark_latest([image])
    task = image.latest_task
    if task is None or not can_retry(image):
        raise Conflict(_(_NOTHING_FAILED))
    wanted = task.input["import_req"]
    if not wanted.get("all_stores"):
        wanted = {**wanted, "stores": list(outcomes.targets_of(task))}
    return requests.ask(ctx=ctx, image=image, wanted=wanted)


def copy(*, ctx: RequestContext, image: Image, store: str) -> ImageTask | None:
    """Begin to copy an image's data to one more store."""
    return requests.ask(ctx=ctx, image=image, wanted={"method": {"name": requests.COPY}, "stores": [store]})


def rule_of(task: ImageTask) -> Rule:
    """Return the rule that lets somebody begin, end and repeat such a task."""
    return policies.COPY_IMAGE if method_of(task) == requests.COPY else policies.MODIFY_IMAGE


def method_of(task: ImageTask) -> str:
    """Return how a task imports; empty for one that imports nothing."""
    return str(task.input.get("import_req", {}).get("method", {}).get("name", ""))


def can_retry(image: Image) -> bool:
    """Whether an image's last task failed and can be begun anew as the image is now; what was staged is gone with the first try."""
    task = image.latest_task
    if task is None or task.status != TaskStatus.FAILURE or image.import_task_id:
        return False
    if method_of(task) == requests.COPY:
        return image.status == ImageStatus.ACTIVE
    return method_of(task) in _AGAIN and image.status == ImageStatus.QUEUED


def mark_latest(images: Iterable[Image]) -> None:
    """Note on images what was last done to them, where that runs or may have failed. One query, or none."""
    wanted = {image.pk: image for image in images if image.import_task_id or image.failed_import or not image.has_data}
    rows = ImageTask.objects.current().filter(image_id__in=wanted) if wanted else ImageTask.objects.none()
    for task in rows.order_by("created_at", "pk"):
        wanted[str(task.image_id)].latest_task = task


def recent(ctx: RequestContext, image: Image, most: int = 5) -> list[ImageTask]:
    """Return the last tasks of an image, the newest first."""
    authorize(ctx, policies.GET_TASKS)
    return list(ImageTask.objects.current().filter(image_id=image.pk)[:most])


def several_stores() -> bool:
    """Whether there is more than one store that takes images."""
    return len(_takers()) > 1


def copy_targets(image: Image) -> list[str]:
    """Return the stores that could take a copy of an image and have none."""
    return [name for name in _takers() if name not in image.store_names]


def _takers() -> list[str]:
    """Return the stores that take images now: a disk that is away must not take the pages with it."""
    found = []
    for name in stores.names():
        try:
            if not stores.get(name).read_only:
                found.append(name)
        except StoreError as error:
            LOG.warning("Image store %s cannot be used: %s", name, error)
    return found
