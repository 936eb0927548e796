"""Who stands behind a token and what he holds in its scope now: one statement for each kind of scope."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, Q, QuerySet

from accounts import contexts
from accounts.models import Assignment, Domain, Project, RevokedToken, Role, User
from accounts.prepared import Part, PreparedQuery, split

PROJECT, DOMAIN, SYSTEM, UNSCOPED = "p", "d", "s", ""

_PERSON = ("id", "name", "domain_id", "enabled", "tokens_valid_from", "default_project_id")
_DOMAIN = ("id", "name", "enabled")
_PROJECT = ("id", "name", "domain_id", "enabled", "is_domain")
_ROLE = ("id", "name", "domain_id")

_ALONE = (Part(User, "", _PERSON), Part(Domain, "domain", _DOMAIN))
_HELD = (Part(User, "user", _PERSON), Part(Domain, "user__domain", _DOMAIN), Part(Role, "role", _ROLE))
_PARTS = {
    UNSCOPED: _ALONE,
    SYSTEM: _HELD,
    DOMAIN: (*_HELD, Part(Domain, "domain", _DOMAIN)),
    PROJECT: (*_HELD, Part(Project, "project", _PROJECT), Part(Domain, "project__domain", _DOMAIN)),
}


@dataclass(frozen=True)
class Holding:
    """A user with the roles that were given to him in one scope. His rows carry only what tokens need; the rest is fetched when
    something asks."""

    user: User
    roles: list[Role]
    project: Project | None
    domain: Domain | None
    revoked: bool


def of(kind: str, *, user_id: str, scope_id: str, audit_id: str) -> Holding | None:
    """Return what stands behind a token, None when its user is gone or holds nothing in its scope. One query."""
    names = {"user_id": user_id, "audit_id": audit_id}
    if kind in (PROJECT, DOMAIN):
        names["scope_id"] = scope_id
    found = _QUERIES[kind].rows(**names)
    if not found:
        return None
    rows = [split(_PARTS[kind], values) for values in found]
    user, user.domain = rows[0][0], rows[0][1]
    project = domain = None
    if kind == PROJECT:
        project, project.domain = rows[0][3], rows[0][4]
    elif kind == DOMAIN:
        domain = rows[0][3]
    roles = [] if kind == UNSCOPED else [row[2] for row in rows]
    return Holding(user, roles, project, domain, bool(found[0][-1]))


def _columns(kind: str) -> list[str]:
    return [name for part in _PARTS[kind] for name in part.columns]


def _revoked(audit_id: str) -> Any:
    return Exists(RevokedToken.objects.filter(audit_id=audit_id))


def _unscoped(user_id: str, audit_id: str) -> QuerySet[Any]:
    return User.objects.filter(pk=user_id).order_by().values_list(*_columns(UNSCOPED), _revoked(audit_id))


def _held(kind: str, where: Q, user_id: str, audit_id: str) -> QuerySet[Any]:
    rows = Assignment.objects.filter(where, user_id=user_id).order_by("pk")
    return rows.values_list(*_columns(kind), _revoked(audit_id))


_QUERIES = {
    UNSCOPED: PreparedQuery(_unscoped, "user_id", "audit_id"),
    SYSTEM: PreparedQuery(
        lambda user_id, audit_id: _held(SYSTEM, contexts.on_system(), user_id, audit_id), "user_id", "audit_id"
    ),
    DOMAIN: PreparedQuery(
        lambda user_id, audit_id, scope_id: _held(DOMAIN, contexts.on_domain(scope_id), user_id, audit_id),
        "user_id",
        "audit_id",
        "scope_id",
    ),
    PROJECT: PreparedQuery(
        lambda user_id, audit_id, scope_id: _held(PROJECT, contexts.on_project(scope_id), user_id, audit_id),
        "user_id",
        "audit_id",
        "scope_id",
    ),
}
