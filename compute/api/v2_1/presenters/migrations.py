"""Migrations as the compute API shows them (compute API reference, "Migrations")."""

from collections.abc import Mapping
from typing import Any

from compute.api.v2_1 import versions
from compute.api.v2_1.presenters.servers import microsecond
from compute.models import Migration
from portal.core.versions import Version


def migration(row: Migration, version: Version, numbers: Mapping[str, int], *, with_host: bool) -> dict[str, Any]:
    """Return one migration; hosts only for those whom a rule lets see them."""
    source, dest = (row.source_host, row.dest_host) if with_host else (None, None)
    body: dict[str, Any] = {
        "id": row.pk,
        "status": row.status,
        "instance_uuid": row.server_id,
        "source_compute": source,
        "source_node": source,
        "dest_compute": dest,
        "dest_node": dest,
        "dest_host": None,
        "old_instance_type_id": numbers.get(row.old_flavor["flavor_id"]),
        "new_instance_type_id": numbers.get(row.new_flavor["flavor_id"]),
        "created_at": microsecond(row.created_at),
        "updated_at": microsecond(row.updated_at),
    }
    if version >= versions.MIGRATION_TYPE:
        body["migration_type"] = row.kind
    if version >= versions.MIGRATION_UUIDS:
        body["uuid"] = row.uuid
    if version >= versions.MIGRATION_OWNERS:
        body |= {"user_id": row.user_id, "project_id": row.project_id}
    return body
