"""Host aggregates: hosts that operators put together, for an availability zone or for a property that they share."""

from typing import Any

from django.db import models

from compute.models.host import Host, new_uuid


class Aggregate(models.Model):
    """A named group of hosts. With a ``zone`` its hosts are in that availability zone; a host can be in several groups."""

    uuid = models.CharField(max_length=36, unique=True, default=new_uuid)
    name = models.CharField(max_length=255, unique=True)
    zone = models.CharField(max_length=255, null=True, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    hosts = models.ManyToManyField(Host, related_name="aggregates", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {}
