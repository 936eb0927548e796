"""Credentials: secrets that identity keeps for users, sealed at rest."""

import hashlib
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.models.domain import new_id
from accounts.models.project import Project

EC2 = "ec2"
TOTP = "totp"


def ec2_id(access: str) -> str:
    """Return the id of the credential with this access key."""
    return hashlib.sha256(access.encode()).hexdigest()


class Credential(models.Model):
    """A secret of a user: an EC2 key pair, the seed of one-time passwords, a certificate.

    ``sealed`` holds the blob encrypted with the keys of credentials. The id of one of type ``ec2`` is the SHA-256 of its access
    key, so that it is found without opening any. When those of the first installations were made is not known.
    """

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="credentials")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, null=True, blank=True, related_name="credentials")
    type = models.CharField(max_length=255)
    sealed = models.TextField()
    extra = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(null=True, default=timezone.now)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["user", "type"], name="credential_of_user")]

    def __str__(self) -> str:
        return f"{self.type} of {self.user}"

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {"target.credential.user_id": self.user_id, "target.credential.project_id": self.project_id}


class RecoveryCode(models.Model):
    """A code, kept as its hash, that stands once for a one-time password when the device is lost."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes")
    code_hash = models.CharField(max_length=255)

    def __str__(self) -> str:
        return f"recovery code of {self.user}"

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {"user_id": self.user_id}
