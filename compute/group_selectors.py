"""Server groups and their members, as far as the caller may see them."""

from collections import Counter
from collections.abc import Iterable

from django.db.models import QuerySet

from compute import policies
from compute.models import Server, ServerGroup
from compute.models.server import ServerQuerySet
from portal.core.context import RequestContext
from portal.core.errors import NotFound
from portal.core.policy import allowed, authorize


def groups_visible(ctx: RequestContext, *, all_projects: bool = False) -> QuerySet[ServerGroup]:
    """Return the server groups of the caller's project; of all projects for operators who ask for that."""
    authorize(ctx, policies.GROUPS_INDEX)
    if all_projects and ctx.is_operator:
        authorize(ctx, policies.GROUPS_INDEX_ALL)
        return ServerGroup.objects.all()
    return ServerGroup.objects.filter(project_id=ctx.project_id or "")


def get_group(ctx: RequestContext, group_id: str) -> ServerGroup:
    """Return a server group the caller may see; any other id is simply not found."""
    group = ServerGroup.objects.filter(pk=group_id).first()
    if group is None or (group.project_id != ctx.project_id and not allowed(ctx, policies.GROUPS_SHOW, group)):
        raise NotFound("Instance group", group_id)
    authorize(ctx, policies.GROUPS_SHOW, group)
    return group


def members_of(group_ids: Iterable[str]) -> ServerQuerySet:
    """Return the servers of groups that were not deleted."""
    return Server.objects.present().filter(group__in=list(group_ids))


def member_ids(groups: Iterable[ServerGroup]) -> dict[str, list[str]]:
    """Return the ids of each group's servers, with one query."""
    found: dict[str, list[str]] = {group.pk: [] for group in groups}
    for group_id, server_id in members_of(found).order_by("created_at", "pk").values_list("group_id", "pk"):
        found[str(group_id)].append(server_id)
    return found


def hosts_of(group: ServerGroup, *, without: str) -> dict[str, int]:
    """Return how many of a group's other servers are on each host."""
    rows = members_of([group.pk]).exclude(pk=without).exclude(host=None)
    return dict(Counter(str(host) for host in rows.values_list("host", flat=True)))


def count(project_id: str) -> int:
    """Return how many server groups a project has."""
    return ServerGroup.objects.filter(project_id=project_id).count()
