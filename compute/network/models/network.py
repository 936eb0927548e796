"""Networks and the address ranges on them."""

import hashlib
import uuid
from ipaddress import IPv4Network, ip_network
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

NAT = "nat"
LOCAL = "local"


def new_uuid() -> str:
    """Return a fresh UUID with dashes."""
    return str(uuid.uuid4())


def bridge_name(network_id: str) -> str:
    """Return the bridge of a network on every host: short enough for the kernel, different for each installation."""
    digest = hashlib.sha256(f"{settings.NAME}/{network_id}".encode()).hexdigest()
    return f"nbr-{digest[:10]}"


class Network(models.Model):
    """A layer-2 segment. Hosts make it when the first guest needs it: behind NAT, or (``local``) without any way out."""

    id = models.CharField(primary_key=True, max_length=36, default=new_uuid)
    name = models.CharField(max_length=255, blank=True)
    description = models.CharField(max_length=255, blank=True, default="")
    project_id = models.CharField(max_length=64, db_index=True, blank=True)
    shared = models.BooleanField(default=False)
    external = models.BooleanField(default=False)
    admin_state_up = models.BooleanField(default=True)
    status = models.CharField(max_length=16, default="ACTIVE")
    network_type = models.CharField(max_length=16, choices=[(NAT, NAT), (LOCAL, LOCAL)], default=NAT)
    port_security_enabled = models.BooleanField(default=True)
    mtu = models.PositiveIntegerField(default=1500)
    bridge = models.CharField(max_length=15, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return self.name or self.id

    @property
    def host_name(self) -> str:
        """What the hypervisor calls the network."""
        return f"{settings.NAME}-{self.id[:8]}"

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {
            "project_id": self.project_id,
            "tenant_id": self.project_id,
            "network:project_id": self.project_id,
            "shared": self.shared,
        }


class Subnet(models.Model):
    """A range of addresses on a network. ``allocation_pools`` is a list of ``{"start", "end"}``."""

    id = models.CharField(primary_key=True, max_length=36, default=new_uuid)
    network = models.ForeignKey(Network, on_delete=models.CASCADE, related_name="subnets")
    name = models.CharField(max_length=255, blank=True)
    description = models.CharField(max_length=255, blank=True, default="")
    project_id = models.CharField(max_length=64, db_index=True, blank=True)
    ip_version = models.PositiveSmallIntegerField(default=4)
    cidr = models.CharField(max_length=64)
    gateway_ip = models.CharField(max_length=64, null=True)
    allocation_pools = models.JSONField(default=list)
    enable_dhcp = models.BooleanField(default=True)
    dns_nameservers = models.JSONField(default=list, blank=True)
    host_routes = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [models.UniqueConstraint(fields=["network", "cidr"], name="subnet_cidr_once_per_network")]

    def __str__(self) -> str:
        return self.name or self.cidr

    @property
    def range(self) -> IPv4Network:
        """The range as an object that can be asked."""
        found = ip_network(self.cidr)
        assert isinstance(found, IPv4Network)
        return found

    @property
    def host_address(self) -> str:
        """The address that hosts have on the network: the gateway, or the first one where there is none."""
        return self.gateway_ip or str(self.range[1])

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return self.network.policy_target() | {"project_id": self.project_id, "tenant_id": self.project_id}
