"""Placement decisions, kept so that a refusal or a choice can be read next week."""

from django.db import models

from compute.models.server import Server


class PlacementDecision(models.Model):
    """What was asked, which hosts fell out at which filter and why, and how the rest were weighed.

    ``steps`` is a list of ``{"filter", "left", "refused": {host: reason}}``; ``weights`` a list of
    ``{"host", "total", "parts": {weigher: number}}``, best first.
    """

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="placements")
    request_id = models.CharField(max_length=64)
    asked = models.JSONField()
    steps = models.JSONField(default=list)
    weights = models.JSONField(default=list)
    chosen = models.CharField(max_length=255, null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.server_id} on {self.chosen}"
