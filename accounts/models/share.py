"""Shares: what people were given on one object."""

from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.domain import new_id
from accounts.models.project import Project


class Level(models.TextChoices):
    """How much is given: to look, to use, or to change and share on."""

    READER = "reader", _("reader")
    USER = "user", _("user")
    MANAGER = "manager", _("manager")


class Share(models.Model):
    """An object of some app shared with a person or a project, until ``ends_at`` or until it is taken back.

    The permissions that the level stands for lie in guardian's rows beside it; both are written and deleted together. With
    ``by_membership`` the person had a role in the owner's project when it was given, and the share ends with the last such role.
    """

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    object_pk = models.CharField(max_length=64)
    owner_project_id = models.CharField(max_length=64, db_index=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="shares")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, null=True, blank=True, related_name="shares")
    level = models.CharField(max_length=8, choices=Level.choices)
    ends_at = models.DateTimeField(null=True, blank=True)
    by_membership = models.BooleanField(default=False)
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["created_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["content_type", "object_pk", "user"], name="share_once_per_user"),
            models.UniqueConstraint(fields=["content_type", "object_pk", "project"], name="share_once_per_project"),
            models.CheckConstraint(
                condition=Q(user__isnull=False, project=None) | Q(user=None, project__isnull=False),
                name="share_has_one_receiver",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.level} on {self.object_pk} for {self.user or self.project}"

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {"project_id": self.owner_project_id, "user_id": self.user_id}
