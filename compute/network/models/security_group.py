"""Security groups: named sets of rules about what may reach a port."""

from ipaddress import ip_network
from typing import Any

from django.db import models
from django.db.models import Case, F, When
from django.utils import timezone

from compute.network.models.network import new_uuid

DEFAULT_GROUP = "default"


class SecurityGroup(models.Model):
    """A set of rules of one project; every project has one named ``default``.

    ``default_of`` is the project of such a one, and null for all others: nulls differ from each other, and so one constraint holds
    on every database. ``revision`` counts what changed of its rules and members, so that a host knows old news.
    """

    id = models.CharField(primary_key=True, max_length=36, default=new_uuid)
    name = models.CharField(max_length=255)
    description = models.CharField(max_length=255, blank=True, default="")
    project_id = models.CharField(max_length=64, db_index=True)
    revision = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    default_of = models.GeneratedField(
        expression=Case(When(name=DEFAULT_GROUP, then=F("project_id"))),
        output_field=models.CharField(max_length=64, null=True),
        db_persist=True,
    )

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [models.UniqueConstraint(fields=["default_of"], name="one_default_group_per_project")]

    def __str__(self) -> str:
        return self.name

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {"project_id": self.project_id, "tenant_id": self.project_id, "security_group:project_id": self.project_id}


class SecurityGroupRule(models.Model):
    """One kind of traffic that a group lets pass; what no rule names is refused."""

    id = models.CharField(primary_key=True, max_length=36, default=new_uuid)
    security_group = models.ForeignKey(SecurityGroup, on_delete=models.CASCADE, related_name="rules")
    remote_group = models.ForeignKey(SecurityGroup, on_delete=models.CASCADE, null=True, related_name="+")
    description = models.CharField(max_length=255, blank=True, default="")
    project_id = models.CharField(max_length=64, db_index=True)
    direction = models.CharField(max_length=8, choices=[("ingress", "ingress"), ("egress", "egress")])
    ethertype = models.CharField(max_length=8, choices=[("IPv4", "IPv4"), ("IPv6", "IPv6")], default="IPv4")
    protocol = models.CharField(max_length=40, null=True)
    port_range_min = models.PositiveIntegerField(null=True)
    port_range_max = models.PositiveIntegerField(null=True)
    remote_ip_prefix = models.CharField(max_length=64, null=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return f"{self.direction} {self.ethertype} of {self.security_group_id}"

    @property
    def normalized_cidr(self) -> str | None:
        """The range that ``remote_ip_prefix`` means, without what is beyond its length."""
        return str(ip_network(self.remote_ip_prefix, strict=False)) if self.remote_ip_prefix else None

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return self.security_group.policy_target() | {"project_id": self.project_id, "tenant_id": self.project_id}
