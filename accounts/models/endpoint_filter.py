"""Which endpoints a project sees: single ones, and groups of endpoints that share attributes (OS-EP-FILTER)."""

from typing import Any

from django.db import models

from accounts.models.catalog import Endpoint
from accounts.models.domain import new_id
from accounts.models.project import Project


class EndpointGroup(models.Model):
    """Endpoints that have all of ``filters``: any of interface, service_id, region_id and enabled."""

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    name = models.CharField(max_length=255)
    description = models.TextField(null=True, blank=True)
    filters = models.JSONField(default=dict)
    projects = models.ManyToManyField(Project, related_name="endpoint_groups")

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {}


class ProjectEndpoint(models.Model):
    """An endpoint that a project sees. A project with neither these nor groups sees every endpoint."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="project_endpoints")
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="project_endpoints")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "endpoint"], name="project_endpoint_once")]

    def __str__(self) -> str:
        return f"{self.endpoint} for {self.project}"

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {}
