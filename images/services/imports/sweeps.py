"""Tasks whose process died: begun anew a few times, then ended; what the dead run left is thrown away."""

import logging
from datetime import timedelta

from django.utils import timezone

from images.models import ImageTask
from images.services import locations, tasks
from images.services.imports import outcomes
from images.states import TaskStatus

LOG = logging.getLogger(__name__)

SILENT = timedelta(seconds=30)
FORGOTTEN = timedelta(minutes=5)
MOST_TRIES = 3


def sweep() -> None:
    """Look after tasks, copies that are still to be deleted, and tasks whose time is over."""
    reclaim()
    recast()
    locations.sweep()
    tasks.forget_expired()


def reclaim(older_than: timedelta = SILENT) -> int:
    """Take tasks from runs that went silent; return how many."""
    silent = list(ImageTask.objects.silent(timezone.now() - older_than))
    for task in silent:
        run_id = str(task.run_id)
        outcomes.discard_parts(task, run_id)
        if task.status != TaskStatus.PROCESSING:
            outcomes.let_go(task, run_id)
            continue
        if task.tries >= MOST_TRIES:
            outcomes.fail(task, run_id, f"The import was tried {task.tries} times and never came to its end.")
        elif ImageTask.objects.give_back(task.pk, run_id):
            LOG.warning("Task %s of image %s went silent and begins anew", task.pk, task.image_id)
            tasks.cast(task)
    return len(silent)


def recast(older_than: timedelta = FORGOTTEN) -> int:
    """Send again what nobody has begun for a long while; return how many."""
    waiting = list(ImageTask.objects.waiting(timezone.now() - older_than))
    for task in waiting:
        ImageTask.objects.filter(pk=task.pk, status=TaskStatus.PENDING).update(updated_at=timezone.now())
        tasks.cast(task)
    return len(waiting)
