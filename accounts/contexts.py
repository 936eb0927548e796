"""What a user may do where, as it stands in the assignments now. Nothing is cached: a role taken away is gone at once."""

from collections.abc import Iterable
from typing import Any

from django.db.models import F, Q, QuerySet

from accounts.models import Assignment, ImpliedRole, Project, Role, User
from accounts.models.assignment import TargetType
from portal.core.context import RequestContext

Implications = dict[str, list[Role]]


def on_project(project_id: str) -> Q:
    """Return the condition for assignments that act on a project."""
    return Q(target_type=TargetType.PROJECT, project_id=project_id, inherited=False)


def on_domain(domain_id: str) -> Q:
    """Return the condition for assignments that act on a domain itself."""
    return Q(target_type=TargetType.DOMAIN, domain_id=domain_id, inherited=False)


def on_system() -> Q:
    """Return the condition for assignments that act on the system."""
    return Q(target_type=TargetType.SYSTEM, inherited=False)


def usable_projects(user_id: str) -> QuerySet[Project]:
    """Return the enabled projects in which the user holds a role, by name."""
    held = Assignment.objects.filter(user_id=user_id, target_type=TargetType.PROJECT, inherited=False)
    return Project.objects.filter(pk__in=held.values("project_id"), enabled=True, domain__enabled=True)


def implications() -> Implications:
    """Return, by the id of a role, which roles it implies directly."""
    table: Implications = {}
    for row in ImpliedRole.objects.select_related("implied"):
        table.setdefault(row.prior_id, []).append(row.implied)
    return table


def expand(roles: Iterable[Role], table: Implications) -> list[Role]:
    """Return the roles and all that they imply, each once.

    A role that belongs to a domain only carries others: it is left out of tokens itself (Identity v3, "Domain-specific roles").
    """
    found: dict[str, Role] = {}
    waiting = list(roles)
    while waiting:
        role = waiting.pop()
        if role.pk not in found:
            found[role.pk] = role
            waiting += table.get(role.pk, [])
    return sorted((role for role in found.values() if role.domain_id is None), key=lambda role: role.name)


def project_contexts(user: User, **request: Any) -> list[RequestContext]:
    """Return one context per usable project of the user: his default project first, then by name. Two queries."""
    rows = (
        Assignment.objects.filter(user_id=user.pk, target_type=TargetType.PROJECT, inherited=False)
        .filter(project__enabled=True, project__domain__enabled=True)
        .select_related("role", "project__domain")
        .order_by("project__name", "project_id", F("role__name"))
    )
    roles: dict[str, list[Role]] = {}
    projects: dict[str, Project] = {}
    for row in rows:
        assert row.project is not None
        projects[row.project.pk] = row.project
        roles.setdefault(row.project.pk, []).append(row.role)
    table = implications() if projects else {}
    found = [project_context(user, project, expand(roles[key], table), **request) for key, project in projects.items()]
    return sorted(found, key=lambda ctx: ctx.project_id != user.default_project_id)


def context_in(user: User, project_id: str | None, **request: Any) -> RequestContext:
    """Return the context of a signed-in user in the project he chose, or in his first one when he does not hold it any more."""
    contexts = project_contexts(user, **request)
    chosen = next((ctx for ctx in contexts if ctx.project_id == project_id), None)
    if chosen is not None:
        return chosen
    return contexts[0] if contexts else unscoped_context(user, **request)


def standing_context(user_id: str, project_id: str | None, **request: Any) -> RequestContext | None:
    """Return the context of a user in a project as his roles stand now; None when he has no right there any more."""
    user = User.objects.select_related("domain").filter(pk=user_id, enabled=True, domain__enabled=True).first()
    if user is None:
        return None
    return next((ctx for ctx in project_contexts(user, **request) if ctx.project_id == project_id), None)


def unscoped_context(user: User, **request: Any) -> RequestContext:
    """Return the context of a user without any project."""
    return RequestContext(**_person(user), **request)


def project_context(user: User, project: Project, roles: Iterable[Role], **request: Any) -> RequestContext:
    """Return the context of a user who works in a project."""
    return RequestContext(
        **_person(user),
        project_id=project.pk,
        project_name=project.name,
        project_domain_id=project.domain_id,
        project_domain_name=project.domain.name,
        roles=frozenset(role.name for role in roles),
        **request,
    )


def domain_context(user: User, domain: Any, roles: Iterable[Role], **request: Any) -> RequestContext:
    """Return the context of a user who administers a domain."""
    names = frozenset(role.name for role in roles)
    return RequestContext(**_person(user), domain_id=domain.pk, domain_name=domain.name, roles=names, **request)


def system_context(user: User, roles: Iterable[Role], **request: Any) -> RequestContext:
    """Return the context of a user who runs the cloud as a whole."""
    return RequestContext(**_person(user), system_scope="all", roles=frozenset(role.name for role in roles), **request)


def _person(user: User) -> dict[str, Any]:
    return {
        "user_id": user.pk,
        "user_name": user.name,
        "user_domain_id": user.domain_id,
        "user_domain_name": user.domain.name,
    }
