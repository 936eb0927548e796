"""Server groups: made, deleted, and joined by servers that are born."""

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.services import quotas as project_quotas
from compute import group_selectors, policies
from compute.models import ServerGroup
from compute.services import quotas
from portal.core.context import RequestContext
from portal.core.errors import BadRequest
from portal.core.policy import authorize

_NO_OTHER_RULES = gettext_noop("Only anti-affinity policy supports rules.")


@transaction.atomic
def create(*, ctx: RequestContext, name: str, policy: str, max_per_host: int | None = None) -> ServerGroup:
    """Return a new server group of the caller's project; raises QuotaExceeded."""
    authorize(ctx, policies.GROUPS_CREATE)
    if max_per_host is not None and policy != ServerGroup.Policy.ANTI_AFFINITY:
        raise BadRequest(_(_NO_OTHER_RULES))
    project_id = ctx.project_id or ""
    project_quotas.lock(project_id)
    quotas.admit_group(project_id, group_selectors.count(project_id))
    return ServerGroup.objects.create(
        name=name, policy=policy, max_per_host=max_per_host, project_id=project_id, user_id=ctx.user_id or ""
    )


def delete(*, ctx: RequestContext, group: ServerGroup) -> None:
    """Delete a server group; its servers stay where they are."""
    authorize(ctx, policies.GROUPS_DELETE, group)
    group.delete()


def admit(group: ServerGroup, servers: int) -> None:
    """Let so many more servers join or raise QuotaExceeded, in the transaction that holds the project's lock."""
    quotas.admit_group_members(group.project_id, group_selectors.members_of([group.pk]).count() + servers)
