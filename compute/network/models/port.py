"""Ports: where a device meets a network, and the addresses it holds there."""

import secrets
from typing import Any

from django.db import models
from django.utils import timezone

from compute.network.models.network import Network, Subnet, new_uuid
from compute.network.models.security_group import SecurityGroup


def new_mac() -> str:
    """Return a random hardware address of the range that OpenStack clouds use."""
    return "fa:16:3e:" + ":".join(f"{octet:02x}" for octet in secrets.token_bytes(3))


class Port(models.Model):
    """A network card of a device. ``device_id`` is the device's id and means nothing to this service.

    ``preserve_on_delete`` marks a port that people made themselves: it outlives the device. ``plug`` says what its host is asked
    to do with it now, for ``request_id``, and is empty when nothing is under way. ``revision`` counts what changed of its filter.
    """

    id = models.CharField(primary_key=True, max_length=36, default=new_uuid)
    network = models.ForeignKey(Network, on_delete=models.PROTECT, related_name="ports")
    name = models.CharField(max_length=255, blank=True, default="")
    description = models.CharField(max_length=255, blank=True, default="")
    project_id = models.CharField(max_length=64, db_index=True)
    mac_address = models.CharField(max_length=17, default=new_mac)
    device_id = models.CharField(max_length=255, blank=True, default="", db_index=True)
    device_owner = models.CharField(max_length=255, blank=True, default="")
    host = models.CharField(max_length=255, blank=True, default="")
    admin_state_up = models.BooleanField(default=True)
    status = models.CharField(max_length=16, default="DOWN")
    preserve_on_delete = models.BooleanField(default=False)
    port_security_enabled = models.BooleanField(default=True)
    allowed_address_pairs = models.JSONField(default=list, blank=True)
    revision = models.PositiveIntegerField(default=0)
    plug = models.CharField(max_length=8, blank=True, default="")
    request_id = models.CharField(max_length=64, blank=True, default="")
    plug_at = models.DateTimeField(null=True)
    tag = models.CharField(max_length=60, null=True)
    position = models.PositiveSmallIntegerField(default=0)
    security_groups = models.ManyToManyField(SecurityGroup, related_name="ports", blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["created_at", "position", "id"]
        indexes = [models.Index(fields=["plug", "plug_at"], name="port_plugging")]
        constraints = [models.UniqueConstraint(fields=["network", "mac_address"], name="mac_once_per_network")]

    def __str__(self) -> str:
        return self.name or self.id

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return self.network.policy_target() | {
            "project_id": self.project_id,
            "tenant_id": self.project_id,
            "for_network": self.device_owner.startswith("network:"),
        }


class FixedAddress(models.Model):
    """An address that a port holds; the database sees to it that no other port has it."""

    port = models.ForeignKey(Port, on_delete=models.CASCADE, related_name="fixed_addresses")
    subnet = models.ForeignKey(Subnet, on_delete=models.PROTECT, related_name="fixed_addresses")
    address = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = "fixed addresses"
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["subnet", "address"], name="address_once_per_subnet")]

    def __str__(self) -> str:
        return self.address
