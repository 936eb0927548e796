"""Hosts (machines with a hypervisor) and the services that make up the cloud."""

import uuid
from typing import Any

from django.db import models
from django.db.models import F, Q

DEFAULT_ZONE = "nova"
INTERNAL_ZONE = "internal"


def new_uuid() -> str:
    """Return a fresh UUID with dashes."""
    return str(uuid.uuid4())


class Service(models.Model):
    """One running part: ``nova-compute`` on each host, ``nova-conductor`` and ``nova-scheduler`` beside the database."""

    uuid = models.CharField(max_length=36, unique=True, default=new_uuid)
    binary = models.CharField(max_length=64)
    host = models.CharField(max_length=255)
    zone = models.CharField(max_length=255, default=INTERNAL_ZONE)
    disabled = models.BooleanField(default=False)
    disabled_reason = models.CharField(max_length=255, null=True, blank=True)
    forced_down = models.BooleanField(default=False)
    version = models.CharField(max_length=32, blank=True, default="")
    seen_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["binary", "host"], name="service_once_per_host")]

    def __str__(self) -> str:
        return f"{self.binary} on {self.host}"

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {}


class HostQuerySet(models.QuerySet["Host"]):
    """Claims: what a server needs is taken from a host by one conditional UPDATE."""

    def claim(self, *, host: str, vcpus: int, memory_mb: int, disk_gb: int, limits: dict[str, float]) -> bool:
        """Take the amounts if they still fit under ``limits`` (allocation ratios); False when another build was first."""
        fits = (
            Q(vcpus_used__lte=F("vcpus") * limits["vcpus"] - vcpus)
            & Q(memory_mb_used__lte=F("memory_mb") * limits["memory_mb"] - memory_mb)
            & Q(disk_gb_used__lte=F("disk_gb") * limits["disk_gb"] - disk_gb)
        )
        taken = self.filter(fits, name=host).update(
            vcpus_used=F("vcpus_used") + vcpus,
            memory_mb_used=F("memory_mb_used") + memory_mb,
            disk_gb_used=F("disk_gb_used") + disk_gb,
        )
        return taken == 1

    def release(self, *, host: str, vcpus: int, memory_mb: int, disk_gb: int) -> None:
        """Give claimed amounts back."""
        self.filter(name=host).update(
            vcpus_used=F("vcpus_used") - vcpus,
            memory_mb_used=F("memory_mb_used") - memory_mb,
            disk_gb_used=F("disk_gb_used") - disk_gb,
        )


class Host(models.Model):
    """What a compute host has, and what its servers claim. Its liveness is its ``nova-compute`` service's.

    ``boot_id`` names the machine's start after which all of its guests were looked at; ``foreign_guests`` run there for somebody else.
    """

    uuid = models.CharField(max_length=36, unique=True, default=new_uuid)
    name = models.CharField(max_length=255, unique=True)
    service = models.OneToOneField(Service, on_delete=models.CASCADE, related_name="compute_host")
    hypervisor_type = models.CharField(max_length=32)
    hypervisor_version = models.PositiveIntegerField(default=0)
    address = models.CharField(max_length=255, default="127.0.0.1")
    relay = models.CharField(max_length=255, blank=True, default="")
    vcpus = models.PositiveIntegerField(default=0)
    memory_mb = models.PositiveIntegerField(default=0)
    disk_gb = models.PositiveIntegerField(default=0)
    memory_mb_actually_used = models.PositiveIntegerField(default=0)
    disk_gb_free = models.PositiveIntegerField(default=0)
    vcpus_used = models.IntegerField(default=0)
    memory_mb_used = models.IntegerField(default=0)
    disk_gb_used = models.IntegerField(default=0)
    cpu_arch = models.CharField(max_length=32, default="x86_64")
    cpu_model = models.CharField(max_length=255, blank=True, default="")
    cpu_features = models.JSONField(default=list)
    kvm = models.BooleanField(default=False)
    uptime = models.CharField(max_length=255, blank=True, default="")
    boot_id = models.CharField(max_length=36, blank=True, default="")
    foreign_guests = models.PositiveIntegerField(default=0)
    reported_at = models.DateTimeField(null=True)

    objects = HostQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {}
