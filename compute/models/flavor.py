"""Flavors: the sizes that servers come in."""

from typing import Any

from django.db import models


class Flavor(models.Model):
    """One size. ``flavor_id`` is the id that clients use (``1``, ``42``, ``c1`` or a UUID)."""

    flavor_id = models.CharField(max_length=255, unique=True)
    name = models.CharField(max_length=255, unique=True)
    vcpus = models.PositiveIntegerField()
    ram_mb = models.PositiveIntegerField()
    root_gb = models.PositiveIntegerField()
    ephemeral_gb = models.PositiveIntegerField(default=0)
    swap_mb = models.PositiveIntegerField(default=0)
    rxtx_factor = models.FloatField(default=1.0)
    is_public = models.BooleanField(default=True)
    disabled = models.BooleanField(default=False)
    description = models.TextField(null=True, blank=True)
    extra_specs = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["flavor_id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(vcpus__gte=1), name="flavor_has_a_vcpu"),
            models.CheckConstraint(condition=models.Q(ram_mb__gte=1), name="flavor_has_memory"),
        ]

    def __str__(self) -> str:
        return self.name

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {"flavor_id": self.flavor_id, "is_public": self.is_public}


class FlavorAccess(models.Model):
    """A project that may use a flavor which is not public."""

    flavor = models.ForeignKey(Flavor, on_delete=models.CASCADE, related_name="accesses")
    project_id = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = "flavor accesses"
        constraints = [models.UniqueConstraint(fields=["flavor", "project_id"], name="flavor_access_once")]

    def __str__(self) -> str:
        return f"{self.flavor} for {self.project_id}"
