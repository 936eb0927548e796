"""Server groups as the compute API shows them: a list of policies before 2.64, one policy with rules from then on."""

from collections.abc import Sequence
from typing import Any

from compute.api.v2_1 import versions
from compute.models import ServerGroup
from portal.core.versions import Version


def group(row: ServerGroup, members: Sequence[str], version: Version) -> dict[str, Any]:
    """Return a group with the ids of its servers."""
    body: dict[str, Any] = {"id": row.pk, "name": row.name, "members": list(members)}
    if version >= versions.ONE_GROUP_POLICY:
        body["policy"] = row.policy
        body["rules"] = {} if row.max_per_host is None else {"max_server_per_host": row.max_per_host}
    else:
        body["policies"] = [row.policy]
        body["metadata"] = {}
    if version >= versions.GROUP_OWNER:
        body["project_id"] = row.project_id
        body["user_id"] = row.user_id
    return body
