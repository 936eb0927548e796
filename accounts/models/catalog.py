"""The catalog: which services there are, and at which addresses."""

from typing import Any

from django.db import models

from accounts.models.domain import new_id


class Region(models.Model):
    """A part of the cloud with addresses of its own."""

    id = models.CharField(primary_key=True, max_length=255, default=new_id)
    description = models.TextField(blank=True, default="")
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    extra = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return str(self.pk)

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {}


class CatalogService(models.Model):
    """One service of the cloud, such as nova of type compute; ``service`` in the API."""

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    type = models.CharField(max_length=255)
    name = models.CharField(max_length=255, blank=True, default="")
    description = models.TextField(blank=True, default="")
    enabled = models.BooleanField(default=True)
    extra = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = "service"
        ordering = ["type", "pk"]

    def __str__(self) -> str:
        return self.name or self.type

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {}


class Interface(models.TextChoices):
    """For whom an address is."""

    PUBLIC = "public"
    INTERNAL = "internal"
    ADMIN = "admin"


class Endpoint(models.Model):
    """An address of a service. ``$(project_id)s`` and ``%(project_id)s`` in it stand for the caller's project."""

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    service = models.ForeignKey(CatalogService, on_delete=models.CASCADE, related_name="endpoints")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, blank=True, related_name="endpoints")
    interface = models.CharField(max_length=8, choices=Interface.choices)
    url = models.TextField()
    enabled = models.BooleanField(default=True)
    extra = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["service", "interface", "pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(interface__in=Interface.values), name="endpoint_interface_is_known")
        ]

    def __str__(self) -> str:
        return f"{self.service} {self.interface}"

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {}
