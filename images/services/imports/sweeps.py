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


def sweep() -> int:
    """Look after tasks, copies that are still to be deleted, and tasks whose time is over; return how many there were."""
    return reclaim() + recast() + locations.sweep() + tasks.forget_expired()


def reclaim(older_than: timedelta = SILENT) -> int:
    """Take tasks from runs that went silent; return how many."""
    silent = list(ImageTask.objects.silent(timezone.now() - older_than))
    for task in silent:
        run_id = str(task.run_id)
        LOG.warning("Task %s of image %s went silent in its run %d", task.pk, task.image_id, task.tries)
        if task.status != TaskStatus.PROCESSING:
            outcomes.let_go(task, run_id)
            continue
        outcomes.discard_parts(task, run_id)
        if outcomes.begin_anew_or_fail(task, run_id):
            tasks.cast(task)  # a task that has ended takes no harm
    return len(silent)


def recast(older_than: timedelta = FORGOTTEN) -> int:
    """Send again what nobody has begun for a long while; return how many."""
    waiting = list(ImageTask.objects.waiting(timezone.now() - older_than))
    for task in waiting:
        ImageTask.objects.filter(pk=task.pk, status=TaskStatus.PENDING).update(updated_at=timezone.now())
        tasks.cast(task)
    return len(waiting)
