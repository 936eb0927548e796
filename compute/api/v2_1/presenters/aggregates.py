"""Host aggregates as the compute API shows them (compute API reference, "Host aggregates")."""

from typing import Any

from compute.api.v2_1 import versions
from compute.api.v2_1.presenters.servers import microsecond
from compute.models import Aggregate
from compute.services.aggregates import ZONE_KEY
from portal.core.versions import Version


def created(row: Aggregate, version: Version) -> dict[str, Any]:
    """Return a new aggregate: hosts and metadata are told later."""
    body: dict[str, Any] = {
        "id": row.pk,
        "name": row.name,
        "availability_zone": row.zone,
        "created_at": microsecond(row.created_at),
        "updated_at": microsecond(row.updated_at),
        "deleted": False,
        "deleted_at": None,
    }
    if version >= versions.AGGREGATE_UUID:
        body["uuid"] = row.uuid
    return body


def aggregate(row: Aggregate, version: Version) -> dict[str, Any]:
    """Return the whole document; the zone stands among the metadata too."""
    metadata = row.metadata if row.zone is None else {**row.metadata, ZONE_KEY: row.zone}
    return {**created(row, version), "hosts": [host.name for host in row.hosts.all()], "metadata": metadata}
