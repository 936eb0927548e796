"""A project's quota, changed by operators."""

from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Project
from accounts.services import quotas
from compute import policies, usage_selectors
from compute.models import UserLimit
from compute.services.quotas import RESOURCES
from portal.core.context import RequestContext
from portal.core.errors import BadRequest
from portal.core.policy import authorize


@transaction.atomic
def change(*, ctx: RequestContext, project_id: str, changes: Mapping[str, int], force: bool = False) -> dict[str, int]:
    """Return all limits after these were set; without ``force`` none may fall below what is used."""
    authorize(ctx, policies.QUOTA_UPDATE, {"project_id": project_id})
    require_project(project_id)
    require_known(changes)
    quotas.lock(project_id)
    used = usage_selectors.in_use_by(project_id, None)
    for name, limit in changes.items():
        if not force and 0 <= limit < used.get(name, 0):
            sentence = _("Quota limit %(limit)s for %(name)s must be greater than or equal to already used %(used)s.")
            raise BadRequest(sentence % {"limit": limit, "name": name, "used": used[name]})
    return quotas.set_limits(project_id, changes)


def change_defaults(*, ctx: RequestContext, changes: Mapping[str, int]) -> dict[str, int]:
    """Return the limits of projects that have none of their own, after these were set."""
    authorize(ctx, policies.QUOTA_CLASS_UPDATE)
    require_known(changes)
    return quotas.set_defaults(changes)


@transaction.atomic
def reset(*, ctx: RequestContext, project_id: str) -> None:
    """Let the defaults hold for a project and its users again."""
    authorize(ctx, policies.QUOTA_DELETE, {"project_id": project_id})
    quotas.reset(project_id, RESOURCES)
    UserLimit.objects.filter(project_id=project_id).delete()


def require_project(project_id: str) -> None:
    """Raise BadRequest unless there is such a project: to limit what is not there is a mistake."""
    if not Project.objects.filter(pk=project_id).exists():
        raise BadRequest(_("Project ID %(id)s is not a valid project.") % {"id": project_id})


def require_known(changes: Mapping[str, int]) -> None:
    """Raise BadRequest when one of the names is none of compute's resources."""
    unknown = sorted(set(changes) - set(RESOURCES))
    if unknown:
        raise BadRequest(_("This cloud has no limit for %(names)s.") % {"names": ", ".join(unknown)})
