"""Tasks: background work on images as rows, handed to the conductor by the queue ``images``.

The row is the truth. A message may come twice or never; the task begins once, and the sweep of imports sends what was lost.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from images import policies
from images.models import ImageTask
from images.models.task import TaskQuerySet
from images.states import TaskStatus, TaskType
from portal.core import bus
from portal.core.context import RequestContext
from portal.core.errors import NotFound
from portal.core.policy import authorize

QUEUE = "images"
ACTOR = "images.run_task"


def create(*, ctx: RequestContext, kind: TaskType, image_id: str, input: Mapping[str, Any]) -> ImageTask:
    """Write a task down and hand it to the conductor when the present transaction commits."""
    authorize(ctx, policies.ADD_TASK)
    task = ImageTask.objects.create(
        type=kind,
        owner=ctx.project_id,
        user_id=ctx.user_id,
        image_id=image_id,
        request_id=ctx.request_id,
        input=dict(input),
    )
    cast(task)
    return task


def cast(task: ImageTask) -> None:
    """Tell the conductor of a task that waits."""
    bus.cast(QUEUE, ACTOR, {"task_id": task.pk, "request_id": task.request_id})


def cancel_of(image_id: str) -> None:
    """End whatever is done to an image that goes away."""
    open_ = ImageTask.objects.filter(image_id=image_id, status__in=[TaskStatus.PENDING, TaskStatus.PROCESSING])
    for task_id in open_.values_list("pk", flat=True):
        ImageTask.objects.cancel(task_id, "The image was deleted.")


def visible(ctx: RequestContext) -> TaskQuerySet:
    """Return the tasks that a caller may see: his project's, and for operators all."""
    rows = ImageTask.objects.current()
    return rows if ctx.is_operator else rows.filter(owner=ctx.project_id)


def get(ctx: RequestContext, task_id: str) -> ImageTask:
    """Return a task the caller may see; any other id is simply not found."""
    task = visible(ctx).filter(pk=task_id).first()
    if task is None:
        raise NotFound("Task", task_id, _("No task found with ID %(id)s") % {"id": task_id})
    return task


def forget_expired() -> int:
    """Delete tasks whose time is over; return how many."""
    return ImageTask.objects.filter(expires_at__lt=timezone.now() - timedelta(hours=1), run_id=None).delete()[0]
