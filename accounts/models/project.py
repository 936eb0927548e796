"""Projects: they own resources; a user works in one at a time."""

from typing import Any

from django.db import models

from accounts.models.domain import Domain, new_id


class Project(models.Model):
    """An owner of resources. A project without ``parent`` stands directly under its domain.

    Where a project stands in the tree is decided when it is made and never changes.
    """

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    name = models.CharField(max_length=64)
    domain = models.ForeignKey(Domain, on_delete=models.PROTECT, related_name="projects")
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    description = models.TextField(blank=True, default="")
    enabled = models.BooleanField(default=True)
    options = models.JSONField(default=dict, blank=True)
    extra = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["domain", "name"], name="project_name_once_per_domain")]

    def __str__(self) -> str:
        return self.name

    @property
    def usable(self) -> bool:
        """Whether anybody may work in it now."""
        return self.enabled and self.domain.enabled

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {
            "project_id": self.pk,
            "target.project.id": self.pk,
            "target.project.domain_id": self.domain_id,
            "target.domain_id": self.domain_id,
        }


class Ancestor(models.Model):
    """One project above another, however far: the tree as rows, so that what is inherited is found by one join."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="ancestors")
    above = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="descendants")
    distance = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["project", "distance"]
        constraints = [models.UniqueConstraint(fields=["project", "above"], name="ancestor_once")]

    def __str__(self) -> str:
        return f"{self.above} above {self.project}"

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {}
