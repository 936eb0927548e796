"""Tokens are not stored; what is stored is which of them were taken back."""

from typing import Any

from django.db import models


class RevokedToken(models.Model):
    """A token that was revoked, by its audit id; the row can go when the token would have expired anyway."""

    audit_id = models.CharField(primary_key=True, max_length=64)
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.audit_id)

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {}
