"""The kernel's own table: messages that were promised and not yet sent."""

from django.db import models


class OutboxMessage(models.Model):
    """A message written in the transaction that decided it; gone as soon as the broker has it."""

    queue = models.CharField(max_length=255)
    actor = models.CharField(max_length=255)
    payload = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "outbox message"

    def __str__(self) -> str:
        return f"{self.actor} on {self.queue}"
