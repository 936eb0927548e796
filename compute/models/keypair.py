"""Keypairs: public keys that a user puts into servers."""

from enum import StrEnum
from typing import Any

from django.db import models


class KeypairType(StrEnum):
    """What the public half is: a key in OpenSSH's form, or a certificate for guests that let users in by those."""

    SSH = "ssh"
    X509 = "x509"


class Keypair(models.Model):
    """A user's public key; the private half is shown once when we made it and never kept."""

    user_id = models.CharField(max_length=64, db_index=True)
    name = models.CharField(max_length=255)
    type = models.CharField(max_length=16, default=KeypairType.SSH)
    public_key = models.TextField()
    fingerprint = models.CharField(max_length=128)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user_id", "name"], name="keypair_name_once_per_user")]

    def __str__(self) -> str:
        return self.name

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {"user_id": self.user_id}
