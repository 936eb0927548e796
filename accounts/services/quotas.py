"""Limits of projects in the words of the services, and the admission of what projects ask for.

A limit is a row of identity (``Limit`` of the project, else the ``RegisteredLimit``); the app that owns a resource counts what is
used of it, from its rows, each time. Here are the limits, the lock under which an app counts, and the sentence of a refusal.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import Limit, Project, ProjectLock, RegisteredLimit
from accounts.services import limit_tree
from portal.core.errors import BadRequest, QuotaExceeded

UNLIMITED = -1
MAX_LIMIT = 2**31 - 1

Count = Callable[[list[str]], Mapping[str, int]]


@dataclass(frozen=True)
class Resource:
    """Something that is limited: ``limit_name`` is what identity calls it, beside the type of the service that owns it."""

    service: str
    limit_name: str
    default: int


_resources: dict[str, Resource] = {}
_counts: dict[str, Count] = {}


def declare(resources: Mapping[str, Resource], count: Count) -> None:
    """Make resources known by the names of their app; ``count`` returns what projects together use of them."""
    _resources.update(resources)
    _counts.update(dict.fromkeys(resources, count))


def declared() -> dict[str, Resource]:
    """Return every declared resource by its name."""
    return dict(_resources)


def defaults() -> dict[str, int]:
    """Return the limit of every resource for a project that has none of its own. One query."""
    found = {name: resource.default for name, resource in _resources.items()}
    for row in _registered():
        found.update(dict.fromkeys(_named(row), row.default_limit))
    return found


def limits(project_id: str) -> dict[str, int]:
    """Return the limit of every declared resource for a project. Two queries."""
    return _with_own(Limit.objects.filter(project_id=project_id))


def limits_of_all(names: Iterable[str]) -> dict[str, dict[str, int]]:
    """Return the limits of these resources for every project that has one of its own, by the project's id. Two queries."""
    usual = {name: limit for name, limit in defaults().items() if name in set(names)}
    rows = Limit.objects.filter(
        project__isnull=False, registered__service__type__in={_resources[name].service for name in usual}
    )
    found: dict[str, dict[str, int]] = {}
    for row in rows.select_related("registered__service").order_by("project", "pk"):
        own = {name: row.resource_limit for name in _named(row.registered) if name in usual}
        if own:
            found.setdefault(str(row.project_id), dict(usual)).update(own)  # type: ignore[attr-defined]
    return found


def lock(project_id: str) -> None:
    """Let nobody else count for this project until the present transaction ends; where a tree is counted, for its domain first."""
    keys = [key for key in (limit_tree.domain_counted_with(project_id), project_id) if key]
    ProjectLock.objects.bulk_create([ProjectLock(project_id=key) for key in keys], ignore_conflicts=True)
    for key in keys:
        ProjectLock.objects.select_for_update().get(project_id=key)


def rooms(project_id: str, used: Mapping[str, int]) -> dict[str, int]:
    """Return how much is left beside what is ``used``, of those resources that are limited; never less than nothing."""
    found: dict[str, int] = {}
    for allowed, taken in _levels(project_id, used):
        for name, amount in taken.items():
            if allowed.get(name, UNLIMITED) != UNLIMITED:
                left = max(0, allowed[name] - amount)
                found[name] = min(left, found.get(name, left))
    return found


def admit(project_id: str, wanted: Mapping[str, int], used: Mapping[str, int]) -> None:
    """Let ``wanted`` pass beside what is ``used``, or raise QuotaExceeded with the sentence that compute clients know."""
    for allowed, taken in _levels(project_id, {name: used.get(name, 0) for name in wanted}):
        require_within(wanted, taken, allowed)


@transaction.atomic
def set_limits(project_id: str, changes: Mapping[str, int]) -> dict[str, int]:
    """Set limits of a project, -1 for none, and return all; raises BadRequest. The caller has checked the rule."""
    project = Project.objects.filter(pk=project_id).first()
    if project is None:
        raise BadRequest(_("Project ID %(id)s is not a valid project.") % {"id": project_id})
    for name, limit in changes.items():
        if name not in _resources:
            raise BadRequest(_("Quota resource %(name)s is not known.") % {"name": name})
        if isinstance(limit, bool) or not isinstance(limit, int) or not UNLIMITED <= limit <= MAX_LIMIT:
            raise BadRequest(
                _("Quota limit %(limit)s for %(name)s must be an integer from %(least)s to %(most)s.")
                % {"limit": limit, "name": name, "least": UNLIMITED, "most": MAX_LIMIT}
            )
        registered = registered_limit(name)
        limit_tree.check(registered=registered, limit=limit, project=project)
        Limit.objects.update_or_create(registered=registered, project=project, defaults={"resource_limit": limit})
    return limits(project_id)


@transaction.atomic
def set_defaults(changes: Mapping[str, int]) -> dict[str, int]:
    """Set the limits that hold for whoever has none of his own, and return all. The caller has checked the rule and the values."""
    for name, limit in changes.items():
        RegisteredLimit.objects.filter(pk=registered_limit(name).pk).update(default_limit=limit)
    return defaults()


def reset(project_id: str, resources: Mapping[str, Resource] | None = None) -> int:
    """Let the defaults hold for a project again, of these resources or of all; return how many limits of its own it had."""
    names = {(resource.service, resource.limit_name) for resource in (resources or _resources).values()}
    rows = Limit.objects.filter(project_id=project_id).select_related("registered__service")
    keys = [row.pk for row in rows if (row.registered.service.type, row.registered.resource_name) in names]
    Limit.objects.filter(pk__in=keys).delete()
    return len(keys)


def registered_limit(name: str) -> RegisteredLimit:
    """Return identity's row for a resource; raises BadRequest while its service is not in the catalog."""
    resource = _resources[name]
    row = next((row for row in _registered() if name in _named(row)), None)
    if row is not None:
        return row
    service = limit_tree.service_of(resource.service)
    if service is None:
        raise BadRequest(_("There is no service of type %(type)s in the catalog.") % {"type": resource.service})
    return RegisteredLimit.objects.create(service=service, resource_name=resource.limit_name, default_limit=resource.default)


def register_all() -> None:
    """Make the row of every declared resource whose service is in the catalog; what operators changed stays."""
    for name, resource in _resources.items():
        if limit_tree.service_of(resource.service) is not None:
            registered_limit(name)


def _levels(project_id: str, used: Mapping[str, int]) -> Iterator[tuple[Mapping[str, int], Mapping[str, int]]]:
    """Yield limits and what is used of them: the project's, then its domain's where a tree is counted."""
    yield limits(project_id), used
    domain_id = limit_tree.domain_counted_with(project_id)
    if domain_id is not None:
        others = list(Project.objects.filter(domain_id=domain_id).exclude(pk=project_id).values_list("pk", flat=True))
        elsewhere = _count(used, others)
        together = {name: amount + elsewhere.get(name, 0) for name, amount in used.items()}
        yield _with_own(Limit.objects.filter(domain_id=domain_id)), together


def _with_own(rows: QuerySet[Limit]) -> dict[str, int]:
    found = defaults()
    for row in rows.select_related("registered__service"):
        found.update(dict.fromkeys(_named(row.registered), row.resource_limit))
    return found


def _registered() -> list[RegisteredLimit]:
    """Return the rows of our region and those of every region; where both are there, the region's own comes last and counts."""
    rows = RegisteredLimit.objects.filter(place__in=("", settings.REGION)).select_related("service")
    return list(rows.order_by("place"))


def _named(row: RegisteredLimit) -> list[str]:
    if row.place not in ("", settings.REGION):
        return []
    key = (row.service.type, row.resource_name)
    return [name for name, each in _resources.items() if (each.service, each.limit_name) == key]


def _count(names: Iterable[str], project_ids: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in names:
        if name in _counts and name not in found:
            found |= _counts[name](project_ids)
    return found


def require_within(wanted: Mapping[str, int], used: Mapping[str, int], allowed: Mapping[str, int]) -> None:
    """Let ``wanted`` pass beside what is ``used`` of these limits, or raise QuotaExceeded."""
    over = [
        name
        for name in sorted(wanted)
        if wanted[name] > 0 and UNLIMITED < allowed.get(name, UNLIMITED) < used.get(name, 0) + wanted[name]
    ]
    if not over:
        return
    names = ", ".join(over)
    raise QuotaExceeded(
        _("Quota exceeded for %(names)s: Requested %(wanted)s, but already used %(used)s of %(allowed)s %(names)s")
        % {"names": names, "wanted": _figures(over, wanted), "used": _figures(over, used), "allowed": _figures(over, allowed)}
    )


def _figures(names: list[str], values: Mapping[str, int]) -> str:
    return ", ".join(str(values.get(name, 0)) for name in names)
