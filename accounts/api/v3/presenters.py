"""What identity writes: rows as the JSON of the API reference."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from accounts.delegations import TRUST, Delegation
from accounts.effective import Held
from accounts.models import AccessRule, CatalogService, Domain, Endpoint, Group, Project, Region, Role, User
from accounts.services.receipts import MoreProofNeeded
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
        "tags": [tag.name for tag in row.tags.all()],
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
        "is_domain": False,
        "tags": [tag.name for tag in row.tags.all()],
        "options": row.options,
        "links": {"self": link(f"projects/{row.pk}")},
    }


def domain_as_project(row: Domain, link: Link) -> Body:
    """Return a domain as the project that acts as domain (Identity v3, "Projects")."""
    place = {"domain_id": None, "parent_id": None, "is_domain": True}
    return {**domain(row, link), **place, "links": {"self": link(f"projects/{row.pk}")}}


def group(row: Group, link: Link) -> Body:
    return {
        **row.extra,
        **named(row),
        "domain_id": row.domain_id,
        "description": row.description,
        "links": {"self": link(f"groups/{row.pk}")},
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
        "password_expires_at": _expiry(row),
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


def assignment(held: Held, link: Link, names: bool = False) -> Body:
    """Return one role that is held; with ``names`` also how things are called and in which domains."""
    row, actor = held.row, ("user", held.user) if held.user is not None else ("group", held.group)
    scope: Body = {"system": {"all": True}}
    if held.project is not None:
        scope = {"project": _owned(held.project, names)}
    elif row.domain is not None:
        scope = {"domain": named(row.domain) if names else {"id": row.domain_id}}
    if row.inherited and held.project is row.project:
        scope["OS-INHERIT:inherited_to"] = "projects"
    return {
        "role": _role(held.role, names),
        actor[0]: _owned(actor[1], names),
        "scope": scope,
        "links": _ways(held, link),
    }


def _expiry(row: User) -> str | None:
    """Return when a password expires; this one time has no zone at its end, as upstream writes it."""
    return time(row.password_expires_at).removesuffix("Z") if row.password_expires_at else None


def _ways(held: Held, link: Link) -> Body:
    """Return where a role comes from: the assignment, the group, the role that implies it."""
    row = held.row
    kind, giver = ("users", row.user_id) if row.group_id is None else ("groups", row.group_id)
    place = f"projects/{row.project_id}" if row.project_id else f"domains/{row.domain_id}" if row.domain_id else "system"
    path = f"{place}/{kind}/{giver}/roles/{row.role_id}"
    links = {"assignment": link(f"OS-INHERIT/{path}/inherited_to_projects" if row.inherited else path)}
    if row.group_id is not None and held.user is not None:
        links["membership"] = link(f"groups/{row.group_id}/users/{held.user.pk}")
    if held.prior is not None:
        links["prior_role"] = link(f"roles/{held.prior.pk}/implies/{held.role.pk}")
    return links


def _role(row: Role, names: bool) -> Body:
    return _owned(row, names) if row.domain_id else (named(row) if names else {"id": row.pk})


def _owned(row: Any, names: bool) -> Body:
    return {**named(row), "domain": named(row.domain)} if names else {"id": row.pk}


def token(grant: Grant, catalog: list[Body] | None) -> Body:
    """Return the token's body; ``catalog`` is None when the token has no scope or the client wants none."""
    payload, scope = grant.payload, grant.scope
    body: Body = {
        "methods": payload.methods,
        "user": {**_owned(grant.user, True), "password_expires_at": _expiry(grant.user)},
        "audit_ids": payload.audit_ids,
        "expires_at": time(payload.expires_at),
        "issued_at": time(payload.issued_at),
    }
    if scope.project is not None:
        body |= {"project": _owned(scope.project, True), "is_domain": False}
    if scope.domain is not None:
        body["domain"] = named(scope.domain)
    if scope.system:
        body["system"] = {"all": True}
    if grant.delegation is not None:
        body |= _lent(grant.delegation)
    if grant.roles:
        body["roles"] = [named(item) for item in grant.roles]
    if catalog is not None:
        body["catalog"] = catalog
    return body


def _lent(delegation: Delegation) -> Body:
    """Return what a token says of the application credential or the trust that it was got with."""
    row = delegation.row
    if delegation.kind == TRUST:
        ends = {"trustor_user": {"id": row.trustor_id}, "trustee_user": {"id": row.trustee_id}}
        return {"OS-TRUST:trust": {"id": row.pk, **ends, "impersonation": row.impersonation}}
    rules = [access_rule(item) for item in delegation.access_rules]
    body = {**named(row), "restricted": not row.unrestricted}
    return {"application_credential": body | ({"access_rules": rules} if rules else {})}


def access_rule(row: AccessRule) -> Body:
    """Return an access rule as tokens and application credentials carry it."""
    return {"id": row.pk, "service": row.service, "method": row.method, "path": row.path}


def receipt(found: MoreProofNeeded) -> Body:
    """Return what was proved so far, and the rules of which a part is met (Identity v3, "Multi-Factor Authentication")."""
    note = found.receipt
    return {
        "receipt": {
            "methods": note.methods,
            "user": _owned(found.user, True),
            "expires_at": time(note.expires_at),
            "issued_at": time(note.issued_at),
        },
        "required_auth_methods": found.required,
    }
