"""Moves of servers to another size (and, one day, to another host)."""

from typing import Any

from django.db import models
from django.utils import timezone

from compute.models.host import new_uuid
from compute.models.server import Server


class Migration(models.Model):
    """One resize: from which figures to which, and how far it came (in the words of the compute API).

    While it is ``open``, ``held`` is claimed of the host beside what the server claims itself: the size that it will have, or the
    one to which it can go back.
    """

    uuid = models.CharField(max_length=36, unique=True, default=new_uuid)
    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="migrations")
    kind = models.CharField(max_length=32, default="resize")
    status = models.CharField(max_length=32)
    source_host = models.CharField(max_length=255)
    dest_host = models.CharField(max_length=255)
    old_flavor = models.JSONField()
    new_flavor = models.JSONField()
    open = models.BooleanField(default=True)
    held = models.JSONField(default=dict)
    user_id = models.CharField(max_length=64)
    project_id = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["open", "source_host"], name="migration_open")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.server_id}"

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {"project_id": self.project_id, "user_id": self.user_id}
