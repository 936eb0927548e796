"""Delegations: application credentials and trusts, by which somebody lets a program or a person act with some of his roles."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.models.domain import new_id
from accounts.models.project import Project
from accounts.models.role import Role


class AccessRule(models.Model):
    """One request that an application credential may make: a service's type, a method, and a path with wildcards."""

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="access_rules")
    service = models.CharField(max_length=64)
    path = models.CharField(max_length=128)
    method = models.CharField(max_length=16)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["user", "service", "path", "method"], name="access_rule_once_per_user")]

    def __str__(self) -> str:
        return f"{self.method} {self.path} of {self.service}"

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {"user_id": self.user_id, "target.user.id": self.user_id}


class ApplicationCredential(models.Model):
    """A password of its own for a program that works as its user, in one project, with at most the roles given here."""

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    name = models.CharField(max_length=255)
    description = models.TextField(null=True, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="application_credentials")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="application_credentials")
    roles = models.ManyToManyField(Role, related_name="+")
    access_rules = models.ManyToManyField(AccessRule, through="Confinement", related_name="application_credentials")
    secret_hash = models.CharField(max_length=255)
    expires_at = models.DateTimeField(null=True, blank=True)
    unrestricted = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="application_credential_name_once_per_user")]

    def __str__(self) -> str:
        return self.name

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {"user_id": self.user_id, "target.user.id": self.user_id, "project_id": self.project_id}


class Confinement(models.Model):
    """An application credential may ask for what an access rule says.

    A rule in use cannot be deleted: without its last one a credential would be free to ask for everything.
    """

    application_credential = models.ForeignKey(ApplicationCredential, on_delete=models.CASCADE, related_name="+")
    access_rule = models.ForeignKey(AccessRule, on_delete=models.RESTRICT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["application_credential", "access_rule"], name="access_rule_once_per_credential")
        ]

    def __str__(self) -> str:
        return f"{self.application_credential}: {self.access_rule}"


class Trust(models.Model):
    """The trustor lets the trustee act with some of his roles in a project (without one: only in his name)."""

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    trustor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="trusts_given")
    trustee = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="trusts_received")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, null=True, blank=True, related_name="trusts")
    roles = models.ManyToManyField(Role, related_name="+")
    impersonation = models.BooleanField(default=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    remaining_uses = models.PositiveIntegerField(null=True, blank=True)
    redelegated_from = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="redelegations")
    redelegation_count = models.PositiveSmallIntegerField(default=0)
    extra = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["created_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["trustor", "trustee", "project", "impersonation", "expires_at"], name="trust_given_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.trustor} trusts {self.trustee}"

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {
            "target.trust.trustor_user_id": self.trustor_id,
            "target.trust.trustee_user_id": self.trustee_id,
            "target.trust.project_id": self.project_id,
        }
