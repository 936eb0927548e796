"""Tags: words by which projects and domains are found again; compared exactly."""

from typing import Any

from django.db import models

from accounts.models.domain import Domain
from accounts.models.project import Project


class Tag(models.Model):
    """Base of both kinds."""

    name = models.CharField(max_length=255)

    class Meta:
        abstract = True
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {}


class ProjectTag(Tag):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="tags")

    class Meta(Tag.Meta):
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="project_tag_once")]


class DomainTag(Tag):
    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="tags")

    class Meta(Tag.Meta):
        constraints = [models.UniqueConstraint(fields=["domain", "name"], name="domain_tag_once")]
