"""Images in the caches of hosts, as the hosts tell it, and those that they were asked to fetch."""

from typing import Any

from django.db import models

from compute.models.host import Host
from compute.states import CacheState


class HostImage(models.Model):
    """One image on one host. ``request_id`` is the latest wish to have it there; ``disks`` are the files of guests that lie on it."""

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="images")
    image_id = models.CharField(max_length=36, db_index=True)
    state = models.CharField(max_length=16)
    size_bytes = models.BigIntegerField(default=0)
    disks = models.PositiveIntegerField(default=0)
    fetched_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)
    request_id = models.CharField(max_length=64, blank=True, default="")
    fault = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["host__name", "image_id"]
        constraints = [models.UniqueConstraint(fields=["host", "image_id"], name="host_image_once")]

    def __str__(self) -> str:
        return f"{self.image_id} on {self.host}"

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {}

    @property
    def is_cached(self) -> bool:
        """Whether the host has the image."""
        return self.state == CacheState.CACHED
