"""Groups: users that hold roles together."""

from typing import Any

from django.conf import settings
from django.db import models

from accounts.models.domain import Domain, new_id


class Group(models.Model):
    """Users of any domain under one name; a role that the group holds, each of them holds."""

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    name = models.CharField(max_length=64)
    domain = models.ForeignKey(Domain, on_delete=models.PROTECT, related_name="user_groups")
    description = models.TextField(blank=True, default="")
    extra = models.JSONField(default=dict, blank=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="member_of")

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["domain", "name"], name="group_name_once_per_domain")]

    def __str__(self) -> str:
        return self.name

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {"target.group.id": self.pk, "target.group.domain_id": self.domain_id}


class Membership(models.Model):
    """A user in a group."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.group}"

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {}
