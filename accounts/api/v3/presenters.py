"""What identity writes: rows as the JSON of the API reference."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from accounts.models import Assignment, CatalogService, Domain, Endpoint, Project, Region, Role, User
from accounts.services.tokens import Grant

Body = dict[str, Any]
Link = Callable[[str], str]


def time(moment: datetime) -> str:
    """Return a time with microseconds, as identity writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def named(row: Any) -> Body:
    """Return id and name."""
    return {"id": row.pk, "name": row.name}


def domain(row: Domain, link: Link) -> Body:
    return {
        **row.extra,
        **named(row),
        "description": row.description,
        "enabled": row.enabled,
        "tags": [],
        "options": row.options,
        "links": {"self": link(f"domains/{row.pk}")},
    }


def project(row: Project, link: Link) -> Body:
    return {
        **row.extra,
        **named(row),
        "domain_id": row.domain_id,
        "description": row.description,
        "enabled": row.enabled,
        "parent_id": row.parent_id or row.domain_id,
        "is_domain": row.is_domain,
        "tags": [],
        "options": row.options,
        "links": {"self": link(f"projects/{row.pk}")},
    }


def user(row: User, link: Link) -> Body:
    """What was never given (email, description, default project) is left out, as upstream does."""
    given = {"email": row.email or None, "description": row.description, "default_project_id": row.default_project_id}
    return {
        **row.extra,
        **{key: value for key, value in given.items() if value is not None},
        **named(row),
        "domain_id": row.domain_id,
        "enabled": row.enabled,
        "password_expires_at": None,
        "options": row.options,
        "links": {"self": link(f"users/{row.pk}")},
    }


def role(row: Role, link: Link) -> Body:
    return {
        **row.extra,
        **named(row),
        "domain_id": row.domain_id,
        "description": row.description,
        "options": row.options,
        "links": {"self": link(f"roles/{row.pk}")},
    }


def region(row: Region, link: Link) -> Body:
    return {
        **row.extra,
        "id": row.pk,
        "description": row.description,
        "parent_region_id": row.parent_id,
        "links": {"self": link(f"regions/{row.pk}")},
    }


def service(row: CatalogService, link: Link) -> Body:
    return {
        **row.extra,
        **named(row),
        "type": row.type,
        "description": row.description,
        "enabled": row.enabled,
        "links": {"self": link(f"services/{row.pk}")},
    }


def endpoint(row: Endpoint, link: Link) -> Body:
    return {
        **row.extra,
        "id": row.pk,
        "service_id": row.service_id,
        "interface": row.interface,
        "url": row.url,
        "region": row.region_id,
        "region_id": row.region_id,
        "enabled": row.enabled,
        "links": {"self": link(f"endpoints/{row.pk}")},
    }


def assignment(row: Assignment, link: Link, names: bool = False) -> Body:
    """Return one assignment; with ``names`` also how things are called and in which domains."""
    person = row.user
    assert person is not None
    place = "system"
    scope: Body = {"system": {"all": True}}
    if row.project is not None:
        place, scope = f"projects/{row.project_id}", {"project": _owned(row.project, names)}
    elif row.domain is not None:
        place, scope = f"domains/{row.domain_id}", {"domain": named(row.domain) if names else {"id": row.domain_id}}
    return {
        "role": _role(row.role, names),
        "user": _owned(person, names),
        "scope": scope,
        "links": {"assignment": link(f"{place}/users/{row.user_id}/roles/{row.role_id}")},
    }


def _role(row: Role, names: bool) -> Body:
    return _owned(row, names) if row.domain_id else (named(row) if names else {"id": row.pk})


def _owned(row: Any, names: bool) -> Body:
    return {**named(row), "domain": named(row.domain)} if names else {"id": row.pk}


def token(grant: Grant, catalog: list[Body] | None) -> Body:
    """Return the token's body; ``catalog`` is None when the token has no scope or the client wants none."""
    payload, scope = grant.payload, grant.scope
    body: Body = {
        "methods": payload.methods,
        "user": {**_owned(grant.user, True), "password_expires_at": None},
        "audit_ids": payload.audit_ids,
        "expires_at": time(payload.expires_at),
        "issued_at": time(payload.issued_at),
    }
    if scope.project is not None:
        body |= {"project": _owned(scope.project, True), "is_domain": scope.project.is_domain}
    if scope.domain is not None:
        body["domain"] = named(scope.domain)
    if scope.system:
        body["system"] = {"all": True}
    if grant.roles:
        body["roles"] = [named(item) for item in grant.roles]
    if catalog is not None:
        body["catalog"] = catalog
    return body
