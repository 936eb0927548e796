"""Availability zones (compute API reference, "Availability zones")."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from compute import selectors
from compute.api.v2_1.base import ComputeView
from compute.api.v2_1.presenters.hosts import zone
from compute.api.v2_1.presenters.servers import microsecond


class ZonesView(ComputeView):
    """GET /os-availability-zone."""

    def get(self, request: Request) -> Response:
        found = selectors.availability_zones(self.ctx)
        return Response({"availabilityZoneInfo": [zone(name, open_, None) for name, open_ in found.items()]})


class ZonesDetailView(ComputeView):
    """GET /os-availability-zone/detail: for operators, with the services of every host."""

    def get(self, request: Request) -> Response:
        zones: dict[str, dict[str, Any]] = {}
        for row in selectors.zone_services(self.ctx):
            hosts = zones.setdefault(row.zone, {})
            hosts.setdefault(row.host, {})[row.binary] = {
                "available": selectors.is_up(row),
                "active": not row.disabled,
                "updated_at": microsecond(row.seen_at),
            }
        shown = [zone(name, _open(hosts), hosts) for name, hosts in zones.items()]
        return Response({"availabilityZoneInfo": shown})


def _open(hosts: dict[str, Any]) -> bool:
    return any(part["available"] and part["active"] for parts in hosts.values() for part in parts.values())
