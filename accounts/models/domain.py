"""Domains: the name spaces of users and projects."""

import uuid
from typing import Any

from django.db import models

DEFAULT_DOMAIN_ID = "default"


def new_id() -> str:
    """Return a fresh id in identity's form: 32 hex digits."""
    return uuid.uuid4().hex


class Domain(models.Model):
    """A name space. The first one's id is the word ``default``, as every client expects."""

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    name = models.CharField(max_length=64, unique=True)
    description = models.TextField(blank=True, default="")
    enabled = models.BooleanField(default=True)
    options = models.JSONField(default=dict, blank=True)
    extra = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {"target.domain.id": self.pk, "target.domain_id": self.pk}
