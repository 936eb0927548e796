"""The projects in which a person works, with his roles in each: what every page and websocket begins with, so by statements that are kept."""

from typing import Any

from accounts import contexts, holdings
from accounts.models import Ancestor, Assignment, Project, Role, User
from accounts.prepared import Part, PreparedQuery, split
from portal.core.context import RequestContext

_ROLE = Part(Role, "role", holdings.ROLE.fields)


def project_contexts(user: User, **request: Any) -> list[RequestContext]:
    """Return one context per usable project of the user: his default project first, then by name. At most four queries."""
    projects = [_project(row) for row in _PROJECTS.rows(user_id=user.pk)]
    if not projects:
        return []
    held, table = _Held(user.pk), holdings.implications()
    found = [
        contexts.project_context(user, project, contexts.expand(held.in_project(project), table), **request)
        for project in projects
    ]
    return sorted(found, key=lambda ctx: ctx.project_id != user.default_project_id)


def context_in(user: User, project_id: str | None, **request: Any) -> RequestContext:
    """Return the context of a signed-in user in the project he chose, or in his first one when he does not hold it any more."""
    found = project_contexts(user, **request)
    chosen = next((ctx for ctx in found if ctx.project_id == project_id), None)
    if chosen is not None:
        return chosen
    return found[0] if found else contexts.unscoped_context(user, **request)


class _Held:
    """Which roles a user was given, by where they act."""

    def __init__(self, user_id: str) -> None:
        self._on: dict[str | None, list[Role]] = {}
        self._below: dict[str | None, list[Role]] = {}
        for inherited, project_id, domain_id, *role in _GIVEN.rows(user_id=user_id):
            places = self._below if inherited else self._on
            places.setdefault(project_id or domain_id, []).append(_ROLE.row(role))
        self._above: dict[str, list[str]] = {}
        chains = Ancestor.objects.filter(above_id__in=list(self._below)).order_by()
        for project_id, above_id in chains.values_list("project_id", "above_id"):
            self._above.setdefault(project_id, []).append(above_id)

    def in_project(self, project: Project) -> list[Role]:
        """Return the roles that act on a project, given there or inherited."""
        above = [project.domain_id, *self._above.get(project.pk, ())]
        return [*self._on.get(project.pk, ()), *(role for place in above for role in self._below.get(place, ()))]


def _project(row: list[Any]) -> Project:
    project: Project
    project, project.domain = split(holdings.PLACE, row)
    return project


_PROJECTS = PreparedQuery(
    lambda user_id: contexts.usable_projects(user_id).values_list(*holdings.columns(holdings.PLACE)), "user_id"
)
_GIVEN = PreparedQuery(
    lambda user_id: (
        Assignment.objects.filter(contexts.given_to(user_id), system=None)
        .order_by()
        .values_list("inherited", "project_id", "domain_id", *_ROLE.columns)
    ),
    "user_id",
)
