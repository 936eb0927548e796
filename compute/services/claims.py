"""Claims: what a server takes of its host, written in the server's ``host`` and in the host's sums, always together."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, QuerySet, Sum

from compute.models import Host, Migration, Server
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


@dataclass(frozen=True)
class Astray:
    """A host of which something else is claimed than what its servers need and resizes hold there."""

    host: Host
    claimed: dict[str, int]
    needed: dict[str, int]

    def __str__(self) -> str:
        return f"host {self.host.name} has claimed {self.claimed}, its instances need {self.needed}"


def astray(hosts: QuerySet[Host]) -> Iterator[Astray]:
    """Yield those of these hosts. Three queries, however many there are."""
    found = {host.name: host for host in hosts}
    needed = {name: {"vcpus": 0, "memory_mb": 0, "disk_gb": 0} for name in found}
    held = list(_sums(found))
    held += Migration.objects.filter(source_host__in=found, open=True).values_list("source_host", "held")
    for name, claim in held:
        for figure, amount in claim.items():
            needed[name][figure] += amount
    for name, host in found.items():
        claimed = {"vcpus": host.vcpus_used, "memory_mb": host.memory_mb_used, "disk_gb": host.disk_gb_used}
        if claimed != needed[name]:
            yield Astray(host, claimed, needed[name])


def _sums(hosts: Iterable[str]) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield what the servers of each host claim, summed up by the database; swap is rounded up for each of them, so it parts the sums."""
    rows = Server.objects.present().filter(host__in=list(hosts)).order_by().values("host", "swap_mb")
    sums = rows.annotate(servers=Count("pk"), cpus=Sum("vcpus"), mb=Sum("ram_mb"), gb=Sum(F("root_gb") + F("ephemeral_gb")))
    for row in sums:
        swaps_gb = row["servers"] * -(-row["swap_mb"] // 1024)
        yield str(row["host"]), {"vcpus": row["cpus"], "memory_mb": row["mb"], "disk_gb": row["gb"] + swaps_gb}


@transaction.atomic
def set_right(host_id: int) -> None:
    """Let what is claimed of a host be what is needed. Nobody claims or releases meanwhile: both change the host's row, which is held."""
    for found in astray(Host.objects.select_for_update().filter(pk=host_id)):
        LOG.warning("Claims are set right: %s.", found)
        Host.objects.filter(pk=host_id).update(**{f"{name}_used": amount for name, amount in found.needed.items()})


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
