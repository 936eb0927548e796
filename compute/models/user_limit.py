"""Limits of one user within a project."""

from django.db import models


class UserLimit(models.Model):
    """How much of a project's share of a resource one user may take; without a row only the project's own limit holds."""

    project_id = models.CharField(max_length=64)
    user_id = models.CharField(max_length=64)
    resource = models.CharField(max_length=64)
    limit = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project_id", "user_id", "resource"], name="user_limit_once")]

    def __str__(self) -> str:
        return f"{self.resource} of {self.user_id} in {self.project_id}"
