"""Limits of one user within a project, as operators set them. They never exceed the project's own."""

from collections.abc import Mapping

from django.db import transaction

from accounts.services import quotas
from compute import policies, usage_selectors
from compute.models import UserLimit
from compute.services.limits import require_known, require_project
from portal.core.context import RequestContext
from portal.core.errors import BadRequest
from portal.core.policy import authorize


@transaction.atomic
def change(
    *, ctx: RequestContext, project_id: str, user_id: str, changes: Mapping[str, int], force: bool = False
) -> dict[str, int]:
    """Return all limits that hold for the user after these were set; ``force`` lets them leave the usual bounds."""
    authorize(ctx, policies.QUOTA_UPDATE, {"project_id": project_id})
    require_project(project_id)
    require_known(changes)
    quotas.lock(project_id)
    if not force:
        _require_bounds(project_id, user_id, changes)
    for resource, limit in changes.items():
        UserLimit.objects.update_or_create(
            project_id=project_id, user_id=user_id, resource=resource, defaults={"limit": limit}
        )
    return usage_selectors.limits_of(project_id, user_id)


def reset(*, ctx: RequestContext, project_id: str, user_id: str) -> None:
    """Let only the project's limits hold for the user again."""
    authorize(ctx, policies.QUOTA_DELETE, {"project_id": project_id})
    UserLimit.objects.filter(project_id=project_id, user_id=user_id).delete()


def _require_bounds(project_id: str, user_id: str, changes: Mapping[str, int]) -> None:
    used, most = usage_selectors.in_use_by(project_id, user_id), quotas.limits(project_id)
    for name, limit in changes.items():
        if 0 <= limit < used.get(name, 0):
            raise BadRequest(f"Quota limit {limit} for {name} must be greater than or equal to already used {used[name]}.")
        if most[name] != quotas.UNLIMITED and (limit < 0 or limit > most[name]):
            raise BadRequest(f"Quota limit {limit} for {name} must be less than or equal to {most[name]}.")
