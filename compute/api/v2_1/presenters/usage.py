"""What projects used, as the compute API shows it (compute API reference, "Usage reports")."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone

from compute import usage_selectors
from compute.api.v2_1.presenters.servers import microsecond
from compute.models import Server


def by_project(servers: Iterable[Server], start: datetime, stop: datetime, *, detailed: bool) -> list[dict[str, Any]]:
    """Return one report for each project, in the order in which the servers name them."""
    found: dict[str, dict[str, Any]] = {}
    for server in servers:
        report = found.setdefault(server.project_id, _empty(server.project_id, start, stop, detailed=detailed))
        spent = usage_selectors.spent(server, start, stop)
        report["total_hours"] += spent.hours
        report["total_vcpus_usage"] += spent.vcpus
        report["total_memory_mb_usage"] += spent.memory_mb
        report["total_local_gb_usage"] += spent.local_gb
        if detailed:
            report["server_usages"].append(_usage(server, spent.hours))
    return list(found.values())


def _empty(project_id: str, start: datetime, stop: datetime, *, detailed: bool) -> dict[str, Any]:
    report: dict[str, Any] = {
        "tenant_id": project_id,
        "start": microsecond(start),
        "stop": microsecond(stop),
        **dict.fromkeys(("total_hours", "total_vcpus_usage", "total_memory_mb_usage", "total_local_gb_usage"), 0.0),
    }
    if detailed:
        report["server_usages"] = []
    return report


def _usage(server: Server, hours: float) -> dict[str, Any]:
    began = server.intervals.all()[0].started_at
    return {
        "instance_id": server.pk,
        "name": server.name,
        "tenant_id": server.project_id,
        "flavor": server.flavor_name,
        "hours": hours,
        "vcpus": server.vcpus,
        "memory_mb": server.ram_mb,
        "local_gb": server.root_gb + server.ephemeral_gb,
        "started_at": microsecond(began),
        "ended_at": microsecond(server.deleted_at),
        "state": "terminated" if server.deleted_at else server.vm_state,
        "uptime": max(0, int(((server.deleted_at or timezone.now()) - began).total_seconds())),
    }
