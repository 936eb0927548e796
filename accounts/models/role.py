"""Roles: names that rules speak of."""

from typing import Any

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce

from accounts.models.domain import Domain, new_id


class Role(models.Model):
    """A named set of permissions. Without a domain it can be given anywhere.

    ``space`` is the domain's id or the empty text: a null would let a name of the whole cloud be taken twice.
    """

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    name = models.CharField(max_length=255)
    domain = models.ForeignKey(Domain, on_delete=models.PROTECT, null=True, blank=True, related_name="roles")
    space = models.GeneratedField(
        expression=Coalesce("domain_id", Value("")), output_field=models.CharField(max_length=64), db_persist=True
    )
    description = models.TextField(null=True, blank=True)
    options = models.JSONField(default=dict, blank=True)
    extra = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["space", "name"], name="role_name_once_per_space")]

    def __str__(self) -> str:
        return self.name

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {"target.role.id": self.pk, "target.role.name": self.name, "target.role.domain_id": self.domain_id}


class ImpliedRole(models.Model):
    """Who holds ``prior`` holds ``implied`` too."""

    prior = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="implications")
    implied = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="implied_by")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["prior", "implied"], name="implied_role_once"),
            models.CheckConstraint(condition=~Q(prior=F("implied")), name="role_does_not_imply_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.prior} implies {self.implied}"

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {}
