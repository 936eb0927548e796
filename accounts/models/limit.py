"""Limits: how much of a resource a project or domain may take; registered ones hold for everybody else.

Follows Identity v3, "Unified limits".
"""

from typing import Any

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Coalesce

from accounts.models.catalog import CatalogService, Region
from accounts.models.domain import Domain, new_id
from accounts.models.project import Project


class RegisteredLimit(models.Model):
    """The limit of a service's resource for whoever has none of his own; -1 means without limit."""

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    service = models.ForeignKey(CatalogService, on_delete=models.CASCADE, related_name="registered_limits")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, blank=True, related_name="registered_limits")
    place = models.GeneratedField(
        expression=Coalesce("region_id", Value("")), output_field=models.CharField(max_length=255), db_persist=True
    )
    resource_name = models.CharField(max_length=255)
    default_limit = models.IntegerField()
    description = models.TextField(null=True, blank=True)

    class Meta:
        ordering = ["service", "resource_name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["service", "place", "resource_name"], name="registered_limit_once"),
            models.CheckConstraint(condition=Q(default_limit__gte=-1), name="registered_limit_is_a_limit"),
        ]

    def __str__(self) -> str:
        return f"{self.resource_name}: {self.default_limit}"

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {}


class Limit(models.Model):
    """The limit of one project or domain that differs from the registered one; -1 means without limit."""

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    registered = models.ForeignKey(RegisteredLimit, on_delete=models.PROTECT, related_name="limits")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, null=True, blank=True, related_name="limits")
    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, null=True, blank=True, related_name="limits")
    resource_limit = models.IntegerField()
    description = models.TextField(null=True, blank=True)

    class Meta:
        ordering = ["registered", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["registered", "project"], name="limit_once_per_project"),
            models.UniqueConstraint(fields=["registered", "domain"], name="limit_once_per_domain"),
            models.CheckConstraint(condition=Q(resource_limit__gte=-1), name="limit_is_a_limit"),
            models.CheckConstraint(
                condition=Q(project__isnull=False, domain=None) | Q(project=None, domain__isnull=False),
                name="limit_has_one_owner",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.registered.resource_name} of {self.project or self.domain}: {self.resource_limit}"

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        owner = self.project.domain_id if self.project is not None else self.domain_id
        return {
            "target.limit.project_id": self.project_id,
            "target.limit.project.domain_id": owner if self.project_id else None,
            "target.limit.domain.id": self.domain_id,
        }


class ProjectLock(models.Model):
    """A row per project that admissions lock, so that two of them never count at the same time."""

    project_id = models.CharField(primary_key=True, max_length=64)

    def __str__(self) -> str:
        return str(self.project_id)
