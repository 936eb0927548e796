"""What is remembered of passwords and of signing in."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone


class PastPassword(models.Model):
    """The hash of a password that a user had, so that it is not taken again too soon."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="past_passwords")
    password_hash = models.CharField(max_length=128)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"a former password of {self.user}"

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {"user_id": self.user_id}


class SignIn(models.Model):
    """A browser session of a user, so that he sees where he is signed in and can end it from elsewhere."""

    session_key = models.CharField(primary_key=True, max_length=40)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sign_ins")
    address = models.CharField(max_length=64, blank=True, default="")
    agent = models.CharField(max_length=255, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-seen_at", "pk"]

    def __str__(self) -> str:
        return f"{self.user} from {self.address}"

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {"user_id": self.user_id}
