"""Assignments: who holds which role where."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models.domain import Domain
from accounts.models.project import Project
from accounts.models.role import Role


class TargetType(models.TextChoices):
    """What a role can be given on."""

    PROJECT = "project"
    DOMAIN = "domain"
    SYSTEM = "system"


_SHAPES = (
    Q(target_type=TargetType.PROJECT, project__isnull=False, domain=None)
    | Q(target_type=TargetType.DOMAIN, project=None, domain__isnull=False)
    | Q(target_type=TargetType.SYSTEM, project=None, domain=None)
)


class Assignment(models.Model):
    """A role of a user on a project, on a domain, or on the system. ``inherited`` ones act on the projects below the target."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="assignments")
    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="assignments")
    target_type = models.CharField(max_length=16, choices=TargetType.choices)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, null=True, blank=True, related_name="assignments")
    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, null=True, blank=True, related_name="assignments")
    inherited = models.BooleanField(default=False)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=_SHAPES, name="assignment_has_one_target"),
            models.CheckConstraint(condition=Q(user__isnull=False), name="assignment_has_an_actor"),
            models.UniqueConstraint(fields=["user", "project", "role", "inherited"], name="assignment_once_per_project"),
            models.UniqueConstraint(fields=["user", "domain", "role", "inherited"], name="assignment_once_per_domain"),
            models.UniqueConstraint(
                fields=["user", "role", "inherited"],
                condition=Q(target_type=TargetType.SYSTEM),
                name="assignment_once_on_the_system",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} in {self.target_id}"

    @property
    def target_id(self) -> str:
        """The id of the project or domain, or the word ``system``."""
        return self.project_id or self.domain_id or "system"

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {"project_id": self.project_id, "user_id": self.user_id}
