"""Limits of projects, and the admission of what they ask for.

Who counts what is used is the app that owns the resource; here are the limits, the lock under which it counts, and the sentence.
"""

from collections.abc import Mapping

from django.db import transaction

from accounts.models import ProjectLock, Quota
from portal.core.errors import BadRequest, QuotaExceeded

UNLIMITED = -1
MAX_LIMIT = 2**31 - 1

_defaults: dict[str, int] = {}


def declare(defaults: Mapping[str, int]) -> None:
    """Make resources known, each with the limit of a project for which none was set."""
    _defaults.update(defaults)


def defaults() -> dict[str, int]:
    """Return every declared resource with its default limit."""
    return dict(_defaults)


def lock(project_id: str) -> None:
    """Let nobody else count for this project until the present transaction ends."""
    ProjectLock.objects.bulk_create([ProjectLock(project_id=project_id)], ignore_conflicts=True)
    ProjectLock.objects.select_for_update().get(project_id=project_id)


def limits(project_id: str) -> dict[str, int]:
    """Return the limit of every declared resource for a project."""
    own = Quota.objects.filter(project_id=project_id, resource__in=_defaults).values_list("resource", "limit")
    return _defaults | dict(own)


def admit(project_id: str, wanted: Mapping[str, int], used: Mapping[str, int]) -> None:
    """Let ``wanted`` pass beside what is ``used``, or raise QuotaExceeded with the sentence that compute clients know."""
    allowed = limits(project_id)
    over = [
        name
        for name in sorted(wanted)
        if wanted[name] > 0 and UNLIMITED < allowed.get(name, UNLIMITED) < used.get(name, 0) + wanted[name]
    ]
    if not over:
        return
    names = ", ".join(over)
    raise QuotaExceeded(
        f"Quota exceeded for {names}: Requested {_figures(over, wanted)}, "
        f"but already used {_figures(over, used)} of {_figures(over, allowed)} {names}"
    )


@transaction.atomic
def set_limits(project_id: str, changes: Mapping[str, int]) -> dict[str, int]:
    """Set limits of a project, -1 for none, and return all; raises BadRequest. The caller has checked the rule."""
    for name, limit in changes.items():
        if name not in _defaults:
            raise BadRequest(f"Quota resource {name} is not known.")
        if isinstance(limit, bool) or not isinstance(limit, int) or not UNLIMITED <= limit <= MAX_LIMIT:
            raise BadRequest(f"Quota limit {limit} for {name} must be an integer from {UNLIMITED} to {MAX_LIMIT}.")
        Quota.objects.update_or_create(project_id=project_id, resource=name, defaults={"limit": limit})
    return limits(project_id)


def reset(project_id: str, resource: str | None = None) -> None:
    """Let the default hold for a project again, for one resource or for all."""
    rows = Quota.objects.filter(project_id=project_id)
    (rows if resource is None else rows.filter(resource=resource)).delete()


def _figures(names: list[str], values: Mapping[str, int]) -> str:
    return ", ".join(str(values.get(name, 0)) for name in names)
