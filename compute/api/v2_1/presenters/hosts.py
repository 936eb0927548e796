"""Services, hypervisors and zones as the compute API shows them."""

from collections.abc import Iterable
from typing import Any

import msgspec

from compute.api.v2_1 import versions
from compute.api.v2_1.presenters.servers import microsecond
from compute.models import Host, Service
from compute.selectors import Load
from portal.core.versions import Version


def service(row: Service, alive: bool, version: Version) -> dict[str, Any]:
    """Compute API reference, "Compute services"."""
    body = {
        "id": row.uuid if version >= versions.UUIDS else row.pk,
        "binary": row.binary,
        "host": row.host,
        "zone": row.zone,
        "status": "disabled" if row.disabled else "enabled",
        "state": "up" if alive else "down",
        "updated_at": microsecond(row.seen_at or row.updated_at),
        "disabled_reason": row.disabled_reason,
    }
    if version >= versions.FORCED_DOWN:
        body["forced_down"] = row.forced_down
    return body


def hypervisor_brief(row: Host, alive: bool, version: Version) -> dict[str, Any]:
    """Compute API reference, "List Hypervisors"."""
    return {
        "id": row.uuid if version >= versions.UUIDS else row.pk,
        "hypervisor_hostname": row.name,
        "state": "up" if alive else "down",
        "status": "disabled" if row.service.disabled else "enabled",
    }


def hypervisor(row: Host, alive: bool, version: Version, load: Load) -> dict[str, Any]:
    """Compute API reference, "List Hypervisors Details"; figures of use ended with 2.88."""
    body = {
        **hypervisor_brief(row, alive, version),
        "hypervisor_type": "QEMU" if row.hypervisor_type.lower() in ("qemu", "kvm") else row.hypervisor_type,
        "hypervisor_version": row.hypervisor_version,
        "host_ip": row.address,
        "service": {
            "id": row.service.uuid if version >= versions.UUIDS else row.service.pk,
            "host": row.service.host,
            "disabled_reason": row.service.disabled_reason,
        },
    }
    if version >= versions.LEAN_HYPERVISORS:
        return {**body, "uptime": (row.uptime or None) if alive else None}
    cpu = cpu_info(row)
    return {
        **body,
        **usage(row),
        "cpu_info": cpu if version >= versions.CPU_INFO_OBJECT else msgspec.json.encode(cpu).decode(),
        "current_workload": load.busy,
        "running_vms": load.servers,
        "disk_available_least": row.disk_gb_free,
    }


def cpu_info(row: Host) -> dict[str, Any]:
    """Return what the host says of its processors."""
    return {"arch": row.cpu_arch, "model": row.cpu_model, "features": row.cpu_features}


USAGE = (
    "vcpus",
    "vcpus_used",
    "memory_mb",
    "memory_mb_used",
    "free_ram_mb",
    "local_gb",
    "local_gb_used",
    "free_disk_gb",
)


def usage(row: Host) -> dict[str, int]:
    """Return what a host has and what its servers claim."""
    return {
        "vcpus": row.vcpus,
        "vcpus_used": row.vcpus_used,
        "memory_mb": row.memory_mb,
        "memory_mb_used": row.memory_mb_used,
        "free_ram_mb": row.memory_mb - row.memory_mb_used,
        "local_gb": row.disk_gb,
        "local_gb_used": row.disk_gb_used,
        "free_disk_gb": row.disk_gb - row.disk_gb_used,
    }


def statistics(rows: Iterable[tuple[Host, Load]]) -> dict[str, int]:
    """Return the sums over all hosts (compute API reference, "Show Hypervisor Statistics")."""
    total = dict.fromkeys(("count", "current_workload", "disk_available_least", "running_vms", *USAGE), 0)
    for row, load in rows:
        total["count"] += 1
        total["current_workload"] += load.busy
        total["running_vms"] += load.servers
        total["disk_available_least"] += row.disk_gb_free
        for name, value in usage(row).items():
            total[name] += value
    return total


def zone(name: str, available: bool, hosts: dict[str, Any] | None) -> dict[str, Any]:
    """Compute API reference, "Availability zones"."""
    return {"zoneName": name, "zoneState": {"available": available}, "hosts": hosts}
