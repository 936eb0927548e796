"""What a user may do where, as it stands in the assignments now. Nothing is cached: a role taken away is gone at once."""

from collections.abc import Iterable
from typing import Any

from django.db.models import OuterRef, Q, QuerySet

from accounts.models import Ancestor, Assignment, Membership, Project, Role, User
from portal.core.context import RequestContext

Implications = dict[str, list[Role]]


def given_to(user_id: str | OuterRef) -> Q:
    """Return the condition for assignments that a user has, himself or through a group."""
    return Q(user_id=user_id) | Q(group_id__in=Membership.objects.filter(user_id=_deeper(user_id)).values("group_id"))


def on_project(project_id: str | OuterRef) -> Q:
    """Return the condition for assignments that act on a project: on itself, or inherited from above."""
    above = Ancestor.objects.filter(project_id=_deeper(project_id)).order_by().values("above_id")
    home = Project.objects.filter(pk=_deeper(project_id)).order_by().values("domain_id")
    return (
        Q(project_id=project_id, inherited=False)
        | Q(project_id__in=above, inherited=True)
        | Q(domain_id__in=home, inherited=True)
    )


def _deeper(value: str | OuterRef) -> str | OuterRef:
    """Return a value for a query within a query: a column of the outermost one is then one step further away."""
    return OuterRef(value) if isinstance(value, OuterRef) else value


def on_domain(domain_id: str) -> Q:
    """Return the condition for assignments that act on a domain itself."""
    return Q(domain_id=domain_id, inherited=False)


def on_system() -> Q:
    """Return the condition for assignments that act on the system."""
    return Q(system=True)


def usable_projects(user_id: str) -> QuerySet[Project]:
    """Return the enabled projects in which the user holds a role, by name."""
    held = Assignment.objects.filter(given_to(user_id)).order_by()
    handed_down = held.filter(inherited=True)
    below = Ancestor.objects.filter(above_id__in=handed_down.filter(domain=None).values("project_id"))
    return Project.objects.filter(
        Q(pk__in=held.filter(inherited=False, project__isnull=False).values("project_id"))
        | Q(pk__in=below.order_by().values("project_id"))
        | Q(domain_id__in=handed_down.filter(project=None).values("domain_id")),
        enabled=True,
        domain__enabled=True,
    )


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
