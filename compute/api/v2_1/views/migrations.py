"""Moves of servers between hosts (compute API reference, "List Migrations"). No server has moved: the list is empty."""

from rest_framework.request import Request
from rest_framework.response import Response

from compute import policies
from compute.api.v2_1 import versions
from compute.api.v2_1.base import MAX_LIMIT, PAGING, ComputeView, moment
from portal.core.api import paging
from portal.core.errors import BadRequest
from portal.core.policy import authorize

_FILTERS = frozenset({"hidden", "host", "instance_uuid", "source_compute", "status", "migration_type"})


class MigrationsView(ComputeView):
    """GET /os-migrations: other projects' and those of one host are for operators."""

    def get(self, request: Request) -> Response:
        if self.version >= versions.MIGRATION_PAGES:
            self._check_pages()
        authorize(self.ctx, policies.MIGRATIONS_INDEX, {"project_id": self.ctx.project_id})
        if self.params.get("project_id", self.ctx.project_id) != self.ctx.project_id:
            authorize(self.ctx, policies.MIGRATIONS_INDEX_ALL)
        if {"host", "source_compute"} & self.params.keys():
            authorize(self.ctx, policies.MIGRATIONS_INDEX_HOST)
        return Response({"migrations": []})

    def _check_pages(self) -> None:
        self._check_names()
        paging.limit_of(self.params, MAX_LIMIT)
        times = [moment(self.params[name], name) for name in ("changes-since", "changes-before") if name in self.params]
        if times != sorted(times):
            raise BadRequest("The value of changes-since must be less than or equal to changes-before.")
        if "marker" in self.params:
            raise BadRequest(f"Marker {self.params['marker'][:50]} could not be found.")

    def _check_names(self) -> None:
        """Refuse unknown parameters: here they were refused earlier than elsewhere."""
        known = _FILTERS | PAGING | {"changes-since"}
        if self.version >= versions.CHANGES_BEFORE:
            known |= {"changes-before"}
        if self.version >= versions.MIGRATION_PROJECTS:
            known |= {"user_id", "project_id"}
        unknown = sorted(self.params.keys() - known)
        if unknown:
            raise BadRequest(f"Additional properties are not allowed ({unknown[0][:80]!r} was unexpected)")
