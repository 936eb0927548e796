"""The kernel's own tables: messages that were promised and not yet sent, and what was asked of the rules."""

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


class PolicyRecord(models.Model):
    """Decisions of one day that were alike: the same rule, caller, target and verdict. ``mark`` is the hash of all of them."""

    day = models.DateField()
    mark = models.CharField(max_length=64)
    rule = models.CharField(max_length=255)
    caller = models.JSONField()
    target = models.JSONField()
    allowed = models.BooleanField()
    count = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = "policy record"
        constraints = [models.UniqueConstraint(fields=["day", "mark"], name="policy_record_once_a_day")]
        indexes = [models.Index(fields=["rule", "day"], name="policy_record_of_rule")]

    def __str__(self) -> str:
        return f"{self.rule} {'allowed' if self.allowed else 'refused'} {self.count} times on {self.day}"
