"""The actions log of a server: what was asked, by whom, and what happened on the way."""

from django.db import models

from compute.models.server import Server


class ServerAction(models.Model):
    """One thing that was asked of a server; ``message`` is None, or ``Error`` when it failed."""

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="actions")
    action = models.CharField(max_length=32)
    request_id = models.CharField(max_length=64)
    user_id = models.CharField(max_length=64, null=True)
    user_name = models.CharField(max_length=255, blank=True, default="")
    project_id = models.CharField(max_length=64, null=True)
    message = models.CharField(max_length=255, null=True)
    started_at = models.DateTimeField()
    updated_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-started_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["server", "request_id", "action"], name="server_action_once_per_request")
        ]
        indexes = [models.Index(fields=["finished_at", "started_at"], name="server_action_open")]

    def __str__(self) -> str:
        return f"{self.action} of {self.server_id}"


class ActionEvent(models.Model):
    """One step of an action, such as ``compute_spawning``; bytes only where they are known."""

    action = models.ForeignKey(ServerAction, on_delete=models.CASCADE, related_name="events")
    name = models.CharField(max_length=64)
    host = models.CharField(max_length=255, null=True)
    detail = models.TextField(blank=True, default="")
    bytes_done = models.BigIntegerField(null=True)
    bytes_total = models.BigIntegerField(null=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    result = models.CharField(max_length=16, null=True)

    class Meta:
        ordering = ["started_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["action", "name"], name="action_event_once")]

    def __str__(self) -> str:
        return self.name
