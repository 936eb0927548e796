"""The security groups that one can choose from."""

from compute.network.group_selectors import groups_in_use
from compute.network.models import SecurityGroup
from compute.network.models.security_group import DEFAULT_GROUP
from compute.network.services.security_groups import ensure_default
from portal.core.context import RequestContext


def groups_of_project(ctx: RequestContext) -> list[SecurityGroup]:
    """Return the groups of the project in use, ``default`` first; one that has none gets it now, as with the API."""
    rows = groups_in_use(ctx)  # the rule comes before the write
    ensure_default(ctx.project_id or "")
    return sorted(rows, key=lambda group: (group.name != DEFAULT_GROUP, group.name, group.pk))
