"""Migrations: of the cloud, and the live ones of a server (compute API reference, "Migrations", "Server migrations")."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from compute import migration_selectors as selectors
from compute import policies
from compute.api.v2_1 import versions
from compute.api.v2_1.base import PAGING, ComputeView, moment
from compute.api.v2_1.presenters import migrations as present
from compute.api.v2_1.views.server_parts import PartView
from compute.models import Migration
from portal.core.errors import BadRequest, NotFound
from portal.core.policy import allowed

_FILTERS = frozenset({"hidden", "host", "instance_uuid", "source_compute", "status", "migration_type"})
_OWNERS = frozenset({"user_id", "project_id"})


class MigrationsView(ComputeView):
    """GET /os-migrations: newest first, in pages from 2.59 on."""

    def check_query(self, request: Request, known: frozenset[str] | None) -> None:
        super().check_query(request, self._known())
        unknown = set(self.params) - self._known()
        if unknown and self.version >= versions.MIGRATION_UUIDS:
            raise BadRequest(f"Additional properties are not allowed ({min(unknown)[:80]!r} was unexpected)")

    def _known(self) -> frozenset[str]:
        known = _FILTERS
        if self.version >= versions.MIGRATION_UUIDS:
            known |= PAGING | {"changes-since"}
        if self.version >= versions.CHANGES_BEFORE:
            known |= {"changes-before"}
        return known | _OWNERS if self.version >= versions.MIGRATION_OWNERS else known

    def get(self, request: Request) -> Response:
        wanted = {name: str(self.params[name]) for name in self.params if name in self._known() & (_FILTERS | _OWNERS)}
        rows = selectors.migrations_visible(self.ctx, **wanted)
        found, last = list(rows), None
        if self.version >= versions.MIGRATION_UUIDS:
            found, last = self.page(self._narrowed(rows), [("created_at", True), ("pk", True)], self._marker(rows))
        body: dict[str, Any] = {"migrations": self._shown(found)}
        if last is not None:
            body["migrations_links"] = self.next_links(last.uuid)
        return Response(body)

    def _shown(self, found: list[Migration]) -> list[dict[str, Any]]:
        numbers, with_host = selectors.flavor_numbers(found), allowed(self.ctx, policies.MIGRATIONS_HOST)
        return [present.migration(row, self.version, numbers, with_host=with_host) for row in found]

    def _narrowed(self, rows: QuerySet[Migration]) -> QuerySet[Migration]:
        since, before = (
            moment(str(self.params[name]), name) if name in self.params else None
            for name in ("changes-since", "changes-before")
        )
        if since is not None and before is not None and before < since:
            raise BadRequest("The value of changes-since must be less than or equal to changes-before.")
        if since is not None:
            rows = rows.filter(updated_at__gte=since)
        return rows if before is None else rows.filter(updated_at__lte=before)

    def _marker(self, rows: QuerySet[Migration]) -> Migration | None:
        word = self.params.get("marker")
        if word is None:
            return None
        found = rows.filter(uuid=word).first()
        if found is None:
            raise BadRequest(f"Marker {word[:60]} could not be found.")
        return found


class ServerMigrationsView(PartView):
    """GET /servers/{id}/migrations: live migrations that are under way, of which there are none."""

    since = versions.MIGRATION_TYPE

    def get(self, request: Request, server_id: str) -> Response:
        self.server(server_id, policies.SERVER_MIGRATIONS_INDEX)
        none: list[Any] = []
        return Response({"migrations": none})


class ServerMigrationView(PartView):
    """GET and DELETE /servers/{id}/migrations/{migration id}."""

    since = versions.MIGRATION_TYPE

    def get(self, request: Request, server_id: str, migration_id: str) -> Response:
        self.server(server_id, policies.SERVER_MIGRATIONS_SHOW)
        raise _no_such(server_id, migration_id)

    def delete(self, request: Request, server_id: str, migration_id: str) -> Response:
        if self.version < versions.MIGRATION_ABORT:
            raise NotFound("Resource", "", "The resource could not be found.")
        self.server(server_id, policies.SERVER_MIGRATIONS_DELETE)
        raise _no_such(server_id, migration_id)


class ServerMigrationActionView(PartView):
    """POST /servers/{id}/migrations/{migration id}/action."""

    since = versions.MIGRATION_FORCE

    def post(self, request: Request, server_id: str, migration_id: str) -> Response:
        if request.data != {"force_complete": None}:
            raise BadRequest("Malformed request body: it must be force_complete with null.")
        server = self.server(server_id, policies.SERVER_MIGRATIONS_FORCE)
        raise BadRequest(f"Migration {migration_id[:40]} for server {server.pk} is not a live migration that is under way.")


def _no_such(server_id: str, migration_id: str) -> NotFound:
    said = f"In-progress live migration {migration_id[:40]} is not found for server {server_id}."
    return NotFound("Migration", migration_id, said)
