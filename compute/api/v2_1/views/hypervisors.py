"""Hypervisors (compute API reference, "Hypervisors"). Figures of use ended with 2.88, searches with 2.53."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from compute import policies, selectors
from compute.api.v2_1 import versions
from compute.api.v2_1.base import PAGING, ComputeView, truth
from compute.api.v2_1.presenters import hosts as present
from compute.models import Host
from portal.core.errors import BadRequest, NotFound, NotOffered
from portal.core.policy import Rule, authorize
from portal.core.versions import Version


class _HypervisorsBase(ComputeView):
    query: ClassVar[frozenset[str] | None] = PAGING | {"hypervisor_hostname_pattern", "with_servers"}

    def listed(self, rule: Rule) -> tuple[list[Host], Host | None]:
        """Return one page of the hosts."""
        rows = selectors.hosts(self.ctx, rule)
        pattern = self.params.get("hypervisor_hostname_pattern") if self.version >= versions.UUIDS else None
        if pattern is not None:
            if PAGING & self.params.keys():
                raise BadRequest(
                    "Paging over hypervisors with the hypervisor_hostname_pattern query parameter is not supported."
                )
            found = list(rows.filter(name__contains=pattern))
            if not found:
                raise NotFound("Hypervisor", pattern, f"No hypervisor matching '{pattern}' could be found.")
            return found, None
        if self.version < versions.HYPERVISOR_PAGES:
            return list(rows), None
        return self.page(rows, [("pk", False)], self._marker(rows))

    def _marker(self, rows: QuerySet[Host]) -> Host | None:
        word = self.params.get("marker")
        if word is None:
            return None
        found = find(rows, word, self.version)
        if found is None:
            raise BadRequest(f"marker [{word[:50]}] not found")
        return found

    def with_servers(self) -> bool:
        if self.version < versions.UUIDS or "with_servers" not in self.params:
            return False
        return truth(str(self.params["with_servers"]), "with_servers")

    def collection(self, shown: list[dict[str, Any]], rows: list[Host], last: Host | None) -> Response:
        self.add_servers(shown, rows)
        body: dict[str, Any] = {"hypervisors": shown}
        if last is not None:
            body["hypervisors_links"] = self.next_links(last.uuid if self.version >= versions.UUIDS else last.pk)
        return Response(body)

    def add_servers(self, shown: list[dict[str, Any]], rows: list[Host]) -> None:
        """Name each hypervisor's servers if that was asked; from 2.75 on also when there are none."""
        if not self.with_servers():
            return
        found = selectors.servers_on_hosts(row.name for row in rows)
        for body, row in zip(shown, rows, strict=True):
            servers = [{"uuid": pk, "name": domain} for pk, _name, domain in found[row.name]]
            if servers or self.version >= versions.STRICT:
                body["servers"] = servers


def find(rows: QuerySet[Host], word: str, version: Version) -> Host | None:
    """Return the host with this UUID, or with this number before 2.53."""
    if version >= versions.UUIDS:
        return rows.filter(uuid=word).first()
    return rows.filter(pk=int(word)).first() if word.isascii() and word.isdigit() and len(word) < 10 else None


class HypervisorsView(_HypervisorsBase):
    """GET /os-hypervisors."""

    def get(self, request: Request) -> Response:
        rows, last = self.listed(policies.HYPERVISORS_LIST)
        shown = [present.hypervisor_brief(row, selectors.is_up(row.service), self.version) for row in rows]
        return self.collection(shown, rows, last)


class HypervisorsDetailView(_HypervisorsBase):
    """GET /os-hypervisors/detail."""

    def get(self, request: Request) -> Response:
        rows, last = self.listed(policies.HYPERVISORS_DETAIL)
        loads = selectors.loads_of_hosts()
        shown = [
            present.hypervisor(row, selectors.is_up(row.service), self.version, loads.get(row.name, selectors.IDLE))
            for row in rows
        ]
        return self.collection(shown, rows, last)


class HypervisorView(_HypervisorsBase):
    """GET /os-hypervisors/{id}."""

    query: ClassVar[frozenset[str] | None] = frozenset({"with_servers"})

    def get(self, request: Request, hypervisor_id: str) -> Response:
        row = self.one(hypervisor_id, policies.HYPERVISORS_SHOW)
        load = selectors.loads_of_hosts().get(row.name, selectors.IDLE)
        body = present.hypervisor(row, selectors.is_up(row.service), self.version, load)
        self.add_servers([body], [row])
        return Response({"hypervisor": body})

    def one(self, hypervisor_id: str, rule: Rule) -> Host:
        rows = selectors.hosts(self.ctx, rule)
        if self.version >= versions.UUIDS and len(hypervisor_id) != len("00000000-0000-0000-0000-000000000000"):
            raise BadRequest("Invalid uuid " + hypervisor_id[:50])
        found = find(rows, hypervisor_id, self.version)
        if found is None:
            raise NotFound("Hypervisor", hypervisor_id, f"Hypervisor with ID '{hypervisor_id}' could not be found.")
        return found


class HypervisorUptimeView(HypervisorView):
    """GET /os-hypervisors/{id}/uptime, up to 2.87: as the host told last."""

    query = None
    until = versions.LAST_HYPERVISOR_STATISTICS

    def get(self, request: Request, hypervisor_id: str) -> Response:
        row = self.one(hypervisor_id, policies.HYPERVISORS_UPTIME)
        alive = selectors.is_up(row.service)
        if not alive:
            raise BadRequest(f"Compute service of {row.name} is unavailable at this time.")
        if not row.uptime:
            raise NotOffered("This host does not tell how long it has been up.")
        return Response({"hypervisor": {**present.hypervisor_brief(row, alive, self.version), "uptime": row.uptime}})


class HypervisorStatisticsView(ComputeView):
    """GET /os-hypervisors/statistics, up to 2.87."""

    until = versions.LAST_HYPERVISOR_STATISTICS

    def get(self, request: Request) -> Response:
        rows = selectors.hosts(self.ctx, policies.HYPERVISORS_STATISTICS)
        loads = selectors.loads_of_hosts()
        enabled = [(row, loads.get(row.name, selectors.IDLE)) for row in rows if not row.service.disabled]
        return Response({"hypervisor_statistics": present.statistics(enabled)})


class HypervisorSearchView(ComputeView):
    """GET /os-hypervisors/{pattern}/search, up to 2.52."""

    until = versions.LAST_SERVICE_WORDS

    def get(self, request: Request, pattern: str) -> Response:
        authorize(self.ctx, policies.HYPERVISORS_SEARCH)
        rows = _matching(selectors.hosts(self.ctx, policies.HYPERVISORS_SEARCH), pattern)
        shown = [present.hypervisor_brief(row, selectors.is_up(row.service), self.version) for row in rows]
        return Response({"hypervisors": shown})


class HypervisorServersView(ComputeView):
    """GET /os-hypervisors/{pattern}/servers, up to 2.52."""

    until = versions.LAST_SERVICE_WORDS

    def get(self, request: Request, pattern: str) -> Response:
        rows = _matching(selectors.hosts(self.ctx, policies.HYPERVISORS_SERVERS), pattern)
        found = selectors.servers_on_hosts(row.name for row in rows)
        shown = []
        for row in rows:
            body = present.hypervisor_brief(row, selectors.is_up(row.service), self.version)
            if found[row.name]:
                body["servers"] = [{"uuid": pk, "name": domain} for pk, _name, domain in found[row.name]]
            shown.append(body)
        return Response({"hypervisors": shown})


def _matching(rows: QuerySet[Host], pattern: str) -> list[Host]:
    found = list(rows.filter(name__contains=pattern))
    if not found:
        raise NotFound("Hypervisor", pattern, f"No hypervisor matching '{pattern}' could be found.")
    return found
