"""Policies that identity keeps for other services, and for which of them (OS-ENDPOINT-POLICY)."""

from typing import Any

from django.db import models
from django.db.models import Q

from accounts.models.catalog import CatalogService, Endpoint, Region
from accounts.models.domain import new_id


class Policy(models.Model):
    """A document that some service understands; identity only keeps it."""

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    type = models.CharField(max_length=255)
    blob = models.JSONField()
    extra = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name_plural = "policies"
        ordering = ["pk"]

    def __str__(self) -> str:
        return str(self.pk)

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {}


class PolicyAssociation(models.Model):
    """For whom a policy is: one endpoint, one service, or one service in one region."""

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="associations")
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    service = models.ForeignKey(CatalogService, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    region = models.ForeignKey(Region, on_delete=models.CASCADE, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(endpoint__isnull=False, service=None, region=None) | Q(endpoint=None, service__isnull=False),
                name="policy_association_has_one_target",
            )
        ]

    def __str__(self) -> str:
        return f"{self.policy} for {self.endpoint or self.service}"

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {}


class DomainSetting(models.Model):
    """One option of a domain's own configuration, in a group such as ``identity`` or ``ldap``."""

    domain = models.ForeignKey("accounts.Domain", on_delete=models.CASCADE, related_name="settings")
    group = models.CharField(max_length=128)
    option = models.CharField(max_length=128)
    value = models.JSONField(null=True)

    class Meta:
        ordering = ["group", "option"]
        constraints = [models.UniqueConstraint(fields=["domain", "group", "option"], name="domain_setting_once")]

    def __str__(self) -> str:
        return f"{self.group}.{self.option} of {self.domain}"

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {"target.domain.id": self.domain_id}


class Consumer(models.Model):
    """A program known by OAuth 1.0a; of its secret only the SHA-256 is kept."""

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    description = models.TextField(null=True, blank=True)
    secret_hash = models.CharField(max_length=64)
    extra = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.description or str(self.pk)

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {}
