"""Quotas: how much a project may take."""

from typing import Any

from django.db import models


class Quota(models.Model):
    """A limit of one project that differs from the default; -1 means without limit."""

    project_id = models.CharField(max_length=64)
    resource = models.CharField(max_length=64)
    limit = models.IntegerField()

    class Meta:
        ordering = ["project_id", "resource"]
        constraints = [
            models.UniqueConstraint(fields=["project_id", "resource"], name="quota_once_per_resource"),
            models.CheckConstraint(condition=models.Q(limit__gte=-1), name="quota_is_a_limit"),
        ]

    def __str__(self) -> str:
        return f"{self.resource} of {self.project_id}: {self.limit}"

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {"project_id": self.project_id}
