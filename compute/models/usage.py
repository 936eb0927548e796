"""What servers used, and when."""

from typing import Any

from django.db import models

from compute.models.server import Server


class UsageInterval(models.Model):
    """A time that a server spent on a host with one size. The one that has not ended is what it uses now."""

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="intervals")
    vcpus = models.PositiveIntegerField()
    ram_mb = models.PositiveIntegerField()
    local_gb = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["started_at", "pk"]
        indexes = [models.Index(fields=["ended_at", "server"], name="usage_running")]

    def __str__(self) -> str:
        return f"usage of {self.server_id}"

    def size(self) -> dict[str, Any]:
        """Return what was used at each moment."""
        return {"vcpus": self.vcpus, "ram_mb": self.ram_mb, "local_gb": self.local_gb}
