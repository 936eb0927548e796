"""Claims: what a server takes of its host, written in the server's ``host`` and in the host's sums, always together."""

import logging
from typing import Any

from django.conf import settings

from compute.models import Host, Server
from compute.scheduler.core import HostState

LOG = logging.getLogger(__name__)


def take(server: Server, host: str, *, seen: HostState | None = None) -> bool:
    """Claim what the server needs of a host, in the transaction that gives it the host; False when it does not fit any more.

    With ``seen`` also False when anything was claimed or released there since.
    """
    limits = {
        "vcpus": settings.CPU_ALLOCATION_RATIO,
        "memory_mb": settings.RAM_ALLOCATION_RATIO,
        "disk_gb": settings.DISK_ALLOCATION_RATIO,
    }
    hosts = Host.objects.all()
    if seen is not None:
        hosts = hosts.filter(vcpus_used=seen.vcpus_used, memory_mb_used=seen.memory_mb_used, disk_gb_used=seen.disk_gb_used)
    return hosts.claim(host=host, limits=limits, **amounts(server))


def give_back(server: Server, host: str | None) -> None:
    """Release what the server had of a host, in the transaction that takes the host from it."""
    if host is not None:
        Host.objects.release(host=host, **amounts(server))


def amounts(server: Server) -> dict[str, Any]:
    """Return what a server claims."""
    return {"vcpus": server.vcpus, "memory_mb": server.ram_mb, "disk_gb": server.disk_gb}


def log_attempt(server: Server, state: HostState) -> None:
    """Tell in the log what is asked of a host and what it has."""
    LOG.info(
        "Attempting claim on node %s: memory %d MB, disk %d GB, vcpus %d CPU",
        state.name,
        server.ram_mb,
        server.disk_gb,
        server.vcpus,
    )
    LOG.info("Total memory: %d MB, used: %.2f MB", state.memory_mb, state.memory_mb_used)
    LOG.info("memory limit: %.2f MB, free: %.2f MB", state.memory_mb_limit, state.memory_mb_free)
    LOG.info("Total disk: %d GB, used: %.2f GB", state.disk_gb, state.disk_gb_used)
    LOG.info("disk limit: %.2f GB, free: %.2f GB", state.disk_gb_limit, state.disk_gb_free)
    LOG.info("Total vcpu: %d VCPU, used: %.2f VCPU", state.vcpus, state.vcpus_used)
    LOG.info("vcpu limit: %.2f VCPU, free: %.2f VCPU", state.vcpus_limit, state.vcpus_free)
