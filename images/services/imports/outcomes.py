"""How a task ends: the image gets what it was to have, or is what it was before, and nothing stays behind."""

import logging
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from images.models import Image, ImageTask
from images.services import locations, staging
from images.states import ImageStatus, TaskStatus, TaskType
from images.stores import registry as stores
from images.stores.base import StoreError
from portal.core.errors import Conflict

LOG = logging.getLogger(__name__)

MOST_TRIES = 3
IDLE: dict[str, Any] = {"import_task_id": None, "importing_to_stores": ""}
EMPTY: dict[str, Any] = {
    **IDLE,
    "status": ImageStatus.QUEUED,
    "upload_bytes": 0,
    "size": None,
    "virtual_size": None,
    "checksum": None,
    "os_hash_algo": None,
    "os_hash_value": None,
}


class Lost(Exception):
    """The task is no longer this run's: it was cancelled, or another run has it."""


def succeed(task: ImageTask, run_id: str, **image_changes: Any) -> None:
    """End a task well, inside the caller's transaction; raises Lost."""
    if not Image.objects.change_import(str(task.image_id), task.pk, **IDLE, **image_changes):
        raise Lost
    done = {"status": TaskStatus.SUCCESS, "progress": 100, "message": "", "result": {"image_id": task.image_id}}
    if not ImageTask.objects.finish(task.pk, run_id, **done):
        raise Lost
    transaction.on_commit(lambda: staging.clear(str(task.image_id)))
    LOG.info("Task %s of image %s succeeded", task.pk, task.image_id)


def fail(task: ImageTask, run_id: str, reason: str) -> None:
    """End a task badly: an image that was to get its bytes is queued again, and a copy that was not finished goes."""
    with transaction.atomic():
        mine = ImageTask.objects.finish(task.pk, run_id, status=TaskStatus.FAILURE, message=reason)
        if mine:
            _restore(task)
            clear(task)
    if mine:
        LOG.warning("Task %s of image %s failed: %s", task.pk, task.image_id, reason)
    else:
        let_go(task, run_id)


def cancel(task: ImageTask, reason: str) -> None:
    """End a task that somebody does not want any more; raises Conflict for one that has ended.

    A run that is at it still writes for a moment. So it restores the image itself when it lets go; a new import cannot begin before.
    """
    with transaction.atomic():
        if not ImageTask.objects.cancel(task.pk, reason):
            raise Conflict(_("The import has ended already."))
        task.refresh_from_db()
        if task.run_id is None:
            _restore(task)
            clear(task)
    LOG.info("Task %s of image %s was cancelled", task.pk, task.image_id)


def begin_anew_or_fail(task: ImageTask, run_id: str, *, blameless: bool = False) -> bool:
    """Give a task back for another run, or end it when it was tried often enough; False when it was not this run's.

    A run is blameless that only ended with its process: it counts for nothing.
    """
    if task.tries < MOST_TRIES or blameless:
        return ImageTask.objects.give_back(task.pk, run_id, task.tries - blameless)
    fail(task, run_id, f"The import was tried {task.tries} times and never came to its end.")
    return True


def clear(task: ImageTask) -> None:
    """Let go what a task that ended badly has brought, inside the caller's transaction."""
    image_id = str(task.image_id)
    locations.discard(image_id, targets_of(task))
    transaction.on_commit(lambda: staging.clear(image_id))


def let_go(task: ImageTask, run_id: str) -> None:
    """Leave a task that a run has lost; when it was cancelled, what it brought goes too, and the image is what it was before."""
    discard_parts(task, run_id)
    with transaction.atomic():
        if ImageTask.objects.filter(pk=task.pk, run_id=run_id, status=TaskStatus.FAILURE).update(run_id=None):
            _restore(task)
            clear(task)


def discard_parts(task: ImageTask, run_id: str) -> None:
    """Throw away what a run has begun to write and will not finish."""
    for name in (stores.STAGING, *targets_of(task)):
        try:
            stores.get(name).discard(str(task.image_id), run_id)
        except StoreError as error:
            LOG.error("Parts of image %s stay in store %s: %s", task.image_id, name, error)


def targets_of(task: ImageTask) -> Iterable[str]:
    """Return the stores that a task brings bytes to."""
    names: list[str] = task.input.get("backend", [])
    return names


def _restore(task: ImageTask) -> None:
    image = Image.objects.present().filter(pk=task.image_id, import_task_id=task.pk).first()
    if image is None:
        return
    failed = ",".join(targets_of(task))
    changes = IDLE if image.has_data else EMPTY
    Image.objects.change_import(image.pk, task.pk, **changes, failed_import=failed)
    if task.type == TaskType.IMPORT:
        Image.objects.filter(pk=image.pk).update(protected=False)
        Image.objects.mark_deleted(image.pk)
