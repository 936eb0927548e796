"""Tasks: what is done to an image in the background, and how far it is."""

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from images.models.image import new_uuid
from images.states import TaskStatus, TaskType

LIFETIME = timedelta(hours=48)


class TaskQuerySet(models.QuerySet["ImageTask"]):
    """Filters, and conditional updates: only the run that holds a task may change it."""

    def current(self) -> "TaskQuerySet":
        """Leave out what has expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()))

    def begin(self, task_id: str, run_id: str) -> bool:
        """Take a pending task for one run; False when another run has it or it has ended."""
        now = timezone.now()
        changed = self.filter(pk=task_id, status=TaskStatus.PENDING).update(
            status=TaskStatus.PROCESSING, run_id=run_id, tries=F("tries") + 1, seen_at=now, updated_at=now
        )
        return changed == 1

    def alive(self, task_id: str, run_id: str, progress: int) -> bool:
        """Note that a run goes on; False when it has lost its task."""
        return self._of(task_id, run_id).update(seen_at=timezone.now(), progress=progress) == 1

    def give_back(self, task_id: str, run_id: str, tries: int) -> bool:
        """Make a task pending again, so that another run can take it; False when it was not this run's."""
        changes = {"status": TaskStatus.PENDING, "run_id": None, "tries": tries, "updated_at": timezone.now()}
        return self._of(task_id, run_id).update(**changes) == 1

    def finish(self, task_id: str, run_id: str, **outcome: Any) -> bool:
        """End a task with its outcome; False when it was not this run's."""
        return self._end(self._of(task_id, run_id), run_id=None, **outcome)

    def cancel(self, task_id: str, message: str) -> bool:
        """End a task whoever runs it; the run finds out when it next reports, and lets go of it then."""
        open_ = self.filter(pk=task_id, status__in=[TaskStatus.PENDING, TaskStatus.PROCESSING])
        return self._end(open_, status=TaskStatus.FAILURE, message=message)

    def silent(self, before: datetime) -> "TaskQuerySet":
        """Keep tasks with a run that was not heard of since ``before``: its process is gone."""
        return self.filter(run_id__isnull=False, seen_at__lt=before)

    def waiting(self, before: datetime) -> "TaskQuerySet":
        """Keep tasks that nobody has taken since ``before``."""
        return self.filter(status=TaskStatus.PENDING, updated_at__lt=before)

    def _of(self, task_id: str, run_id: str) -> "TaskQuerySet":
        return self.filter(pk=task_id, status=TaskStatus.PROCESSING, run_id=run_id)

    def _end(self, rows: "TaskQuerySet", **outcome: Any) -> bool:
        now = timezone.now()
        return rows.update(**outcome, updated_at=now, expires_at=now + LIFETIME) == 1


class ImageTask(models.Model):
    """One piece of background work.

    ``run_id`` names the run that works at it now, ``seen_at`` when that was last heard of, ``tries`` how many runs began.
    """

    id = models.CharField(primary_key=True, max_length=36, default=new_uuid)
    type = models.CharField(max_length=32)
    status = models.CharField(max_length=16, default=TaskStatus.PENDING)
    owner = models.CharField(max_length=64, null=True, blank=True)
    user_id = models.CharField(max_length=64, null=True, blank=True)
    image_id = models.CharField(max_length=36, null=True, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    input = models.JSONField(default=dict)
    result = models.JSONField(null=True, blank=True)
    message = models.TextField(blank=True)
    progress = models.PositiveSmallIntegerField(default=0)
    run_id = models.CharField(max_length=36, null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        verbose_name = "image task"
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["image_id", "-created_at"], name="image_task_image"),
            models.Index(fields=["status", "seen_at"], name="image_task_status"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=list(TaskStatus)), name="image_task_status_known"),
            models.CheckConstraint(condition=Q(type__in=list(TaskType)), name="image_task_type_known"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"

    @property
    def project_id(self) -> str | None:
        """The project whose task it is."""
        return self.owner

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {"project_id": self.owner, "owner": self.owner, "task_id": self.pk, "image_id": self.image_id}
