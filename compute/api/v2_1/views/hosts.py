"""Hosts as clients knew them up to 2.42 (compute API reference, "Compute services - DEPRECATED"); hypervisors and services came after."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from compute import host_selectors, policies, selectors
from compute.api.v2_1 import versions
from compute.api.v2_1.base import ComputeView
from compute.api.v2_1.serializers.base import read
from compute.api.v2_1.serializers.hosts import HostUpdate
from compute.models import Host
from compute.services import hosts
from portal.core.errors import NotFound, NotOffered
from portal.core.policy import Rule


class _HostsBase(ComputeView):
    until = versions.LAST_HOSTS

    def found(self, name: str, rule: Rule) -> Host:
        row = selectors.hosts(self.ctx, rule).filter(name=name).first()
        if row is None:
            raise NotFound("Host", name, f"Compute host {name} could not be found.")
        return row


class HostsView(_HostsBase):
    """GET /os-hosts: every part of the cloud that is in use, by host."""

    def get(self, request: Request) -> Response:
        rows = selectors.services(self.ctx, policies.HOSTS_LIST).filter(disabled=False)
        if zone := self.params.get("zone"):
            rows = rows.filter(zone=zone)
        shown = [{"host_name": row.host, "service": row.binary.removeprefix("nova-"), "zone": row.zone} for row in rows]
        return Response({"hosts": shown})


class HostView(_HostsBase):
    """GET and PUT /os-hosts/{name}."""

    def get(self, request: Request, name: str) -> Response:
        host = self.found(name, policies.HOSTS_SHOW)
        claims = host_selectors.claims_by_project(name)
        shown = [
            _resource(name, "(total)", host.vcpus, host.memory_mb, host.disk_gb),
            _resource(name, "(used_now)", host.vcpus_used, host.memory_mb_used, host.disk_gb_used),
            _resource(name, "(used_max)", *(sum(column) for column in zip((0, 0, 0), *claims.values(), strict=True))),
            *(_resource(name, project_id, *figures) for project_id, figures in claims.items()),
        ]
        return Response({"host": shown})

    def put(self, request: Request, name: str) -> Response:
        body = read(HostUpdate, request.data, self.version)
        host = self.found(name, policies.HOSTS_UPDATE)
        shown = {"host": name}
        if "status" in body:
            disabled = body["status"].lower() == "disable"
            hosts.change(ctx=self.ctx, service=host.service, disabled=disabled, rule=policies.HOSTS_UPDATE)
            shown["status"] = "disabled" if disabled else "enabled"
        if "maintenance_mode" in body:
            raise NotOffered("Hosts have no maintenance mode.")
        return Response(shown)


class HostPowerView(_HostsBase):
    """GET /os-hosts/{name}/startup, /shutdown and /reboot: the power of a host is not in this cloud's hand."""

    rule: Rule = policies.HOSTS_START

    def get(self, request: Request, name: str) -> Response:
        self.found(name, self.rule)
        raise NotOffered("Hosts are not started, shut down or rebooted through this cloud.")


def _resource(host: str, project: str, cpu: int, memory_mb: int, disk_gb: int) -> dict[str, Any]:
    return {"resource": {"host": host, "project": project, "cpu": cpu, "memory_mb": memory_mb, "disk_gb": disk_gb}}
