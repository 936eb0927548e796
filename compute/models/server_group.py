"""Groups of servers that shall share a host, or shall not."""

from typing import Any

from django.db import models
from django.utils import timezone

from compute.models.host import new_uuid


class ServerGroup(models.Model):
    """Servers that placement keeps together or apart; ``max_per_host`` is how many of them a host takes when they are kept apart."""

    class Policy(models.TextChoices):
        AFFINITY = "affinity"
        ANTI_AFFINITY = "anti-affinity"
        SOFT_AFFINITY = "soft-affinity"
        SOFT_ANTI_AFFINITY = "soft-anti-affinity"

    id = models.CharField(primary_key=True, max_length=36, default=new_uuid)
    name = models.CharField(max_length=255)
    policy = models.CharField(max_length=32, choices=Policy.choices)
    max_per_host = models.PositiveIntegerField(null=True)
    project_id = models.CharField(max_length=64, db_index=True)
    user_id = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return self.name

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {"project_id": self.project_id, "user_id": self.user_id}
