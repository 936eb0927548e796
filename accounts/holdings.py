"""Who stands behind a token and what he holds in its scope now: a fixed few statements, whatever was given to him."""

from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, Exists, Q, QuerySet, Value

from accounts import contexts
from accounts.models import Assignment, Domain, ImpliedRole, Project, RevokedToken, Role, User
from accounts.prepared import Part, PreparedQuery, split

PROJECT, DOMAIN, SYSTEM, UNSCOPED = "p", "d", "s", ""

_DOMAIN = ("id", "name", "enabled")
_PERSON = (
    Part(User, "", ("id", "name", "domain_id", "enabled", "tokens_valid_from", "default_project_id", "password_expires_at")),
    Part(Domain, "domain", _DOMAIN),
)
PLACE = (Part(Project, "", ("id", "name", "domain_id", "enabled")), Part(Domain, "domain", _DOMAIN))
_ALONE = (Part(Domain, "", _DOMAIN),)
ROLE = Part(Role, "", ("id", "name", "domain_id"))
_IMPLIED = Part(Role, "implied", ROLE.fields)
_GIVEN = ""  # stands where a role that is implied has the one that implies it


@dataclass(frozen=True)
class Holding:
    """A user and the scope of a token. The rows carry only what tokens need; the rest is fetched when something asks."""

    user: User
    project: Project | None
    domain: Domain | None
    revoked: bool


def of(kind: str, *, user_id: str, scope_id: str, audit_id: str) -> Holding | None:
    """Return what stands behind a token, None when its user or its scope is gone. At most two queries."""
    found = _PEOPLE.rows(user_id=user_id, audit_id=audit_id)
    if not found:
        return None
    user, user.domain = split(_PERSON, found[0])
    project = domain = None
    if kind == PROJECT:
        places = _PROJECTS.rows(scope_id=scope_id)
        if not places:
            return None
        project, project.domain = split(PLACE, places[0])
    elif kind == DOMAIN:
        places = _DOMAINS.rows(scope_id=scope_id)
        if not places:
            return None
        (domain,) = split(_ALONE, places[0])
    return Holding(user, project, domain, bool(found[0][-1]))


def roles(kind: str, *, user_id: str, scope_id: str) -> list[Role]:
    """Return the roles that a user holds in a scope now, those that others imply included. One query."""
    names = {"user_id": user_id} | ({"scope_id": scope_id} if kind in (PROJECT, DOMAIN) else {})
    table = _by_prior(_ROLES[kind].rows(**names))
    return contexts.expand(table.pop(_GIVEN, []), table)


def implied(given: list[Role]) -> list[Role]:
    """Return the roles with all that they imply. One query."""
    return contexts.expand(given, implications())


def implications() -> contexts.Implications:
    """Return, by the id of a role, which roles it implies directly. One query."""
    return _by_prior(_IMPLICATIONS.rows())


def _by_prior(rows: list[list[Any]]) -> contexts.Implications:
    table: contexts.Implications = {}
    for prior_id, *role in rows:
        table.setdefault(prior_id, []).append(ROLE.row(role))
    return table


def columns(parts: tuple[Part, ...]) -> list[str]:
    """Return what is to be asked for, so that ``split`` can read it."""
    return [name for part in parts for name in part.columns]


def _implications() -> QuerySet[Any, Any]:
    return ImpliedRole.objects.order_by().values_list("prior_id", *_IMPLIED.columns)


def _held(where: Q, user_id: str) -> QuerySet[Any, Any]:
    """Return the roles that were given, and after them every implication."""
    rows = Assignment.objects.filter(where, contexts.given_to(user_id)).order_by()
    given = Role.objects.filter(pk__in=rows.values("role_id")).order_by()
    return given.values_list(Value(_GIVEN, CharField()), *ROLE.columns).union(_implications(), all=True)


_PEOPLE = PreparedQuery(
    lambda user_id, audit_id: (
        User.objects.filter(pk=user_id)
        .order_by()
        .values_list(*columns(_PERSON), Exists(RevokedToken.objects.filter(audit_id=audit_id)))
    ),
    "user_id",
    "audit_id",
)
_PROJECTS = PreparedQuery(
    lambda scope_id: Project.objects.filter(pk=scope_id).order_by().values_list(*columns(PLACE)), "scope_id"
)
_DOMAINS = PreparedQuery(
    lambda scope_id: Domain.objects.filter(pk=scope_id).order_by().values_list(*columns(_ALONE)), "scope_id"
)
_IMPLICATIONS = PreparedQuery(_implications)
_ROLES = {
    SYSTEM: PreparedQuery(lambda user_id: _held(contexts.on_system(), user_id), "user_id"),
    DOMAIN: PreparedQuery(lambda user_id, scope_id: _held(contexts.on_domain(scope_id), user_id), "user_id", "scope_id"),
    PROJECT: PreparedQuery(lambda user_id, scope_id: _held(contexts.on_project(scope_id), user_id), "user_id", "scope_id"),
}
