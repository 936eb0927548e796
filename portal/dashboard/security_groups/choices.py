"""The security groups that one can choose from."""

from compute.network.group_selectors import groups_in_use
from compute.network.models import SecurityGroup
from compute.network.models.security_group import DEFAULT_GROUP
from compute.network.services.security_groups import ensure_default
from portal.core.context import RequestContext


def groups_of(ctx: RequestContext, project_id: str) -> list[SecurityGroup]:
    """Return a project's groups, ``default`` first; where the caller's own has none it gets that now, as with the API."""
    rows = groups_in_use(ctx, project_id)  # the rule comes before the write
    if project_id == ctx.project_id:
        ensure_default(project_id)
    return sorted(rows, key=lambda group: (group.name != DEFAULT_GROUP, group.name, group.pk))
