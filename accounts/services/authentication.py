"""Proving who somebody is: by a password or by a token that is still good.

Every refusal reads and costs the same, whether the name, the password or the account was at fault.
"""

from typing import Any

from django.contrib.auth.hashers import check_password as fits
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import contexts, delegations
from accounts.hashers import RandomSecretHasher
from accounts.models import DEFAULT_DOMAIN_ID, ApplicationCredential, Domain, Project, Trust, User
from accounts.services import tokens, trusts
from accounts.services.tokens import Grant, Payload, Scope
from portal.core.errors import Forbidden, NotFound, Unauthorized

MAX_PASSWORD = 4096
TRUST = "OS-TRUST:trust"


def check_password(
    password: str,
    *,
    user_id: str | None = None,
    name: str | None = None,
    domain_id: str | None = None,
    domain_name: str | None = None,
) -> User | None:
    """Return the enabled user with this password, or None at the same cost.

    A name without a domain is a name of the default domain.
    """
    where = Q(pk=user_id) if user_id is not None else Q(name=name)
    if domain_name is not None:
        where &= Q(domain__name=domain_name)
    elif domain_id is not None or user_id is None:
        where &= Q(domain_id=domain_id or DEFAULT_DOMAIN_ID)
    named = [text for text in (user_id, name, domain_id, domain_name) if text is not None]
    speakable = named and not any("\x00" in text or len(text) > 255 for text in named)
    user = User.objects.select_related("domain").filter(where).first() if speakable else None
    if user is None or len(password) > MAX_PASSWORD:
        make_password(password[:MAX_PASSWORD])
        return None
    right = user.check_password(password)
    return user if right and user.enabled and user.domain.enabled else None


def authenticate(identity: dict[str, Any], scope: dict[str, Any] | str | None) -> tuple[str, Grant]:
    """Return a token for what a client sent as ``auth.identity`` and ``auth.scope``; raises Unauthorized."""
    if "application_credential" in identity["methods"]:
        return _by_application_credential(identity, scope)
    users: list[User] = []
    origin: Payload | None = None
    for method in dict.fromkeys(identity["methods"]):
        if method == "password":
            users.append(_by_password(identity["password"]["user"]))
        elif method == "token":
            grant = _rescopable(tokens.validate(identity["token"]["id"]))
            origin = grant.payload
            users.append(grant.user)
        else:
            raise Unauthorized("Attempted to authenticate with an unsupported method.")
    if len({user.pk for user in users}) != 1:
        raise Unauthorized()
    methods = list(dict.fromkeys(identity["methods"]))
    if isinstance(scope, dict) and TRUST in scope:
        return _by_trust(users[0], scope[TRUST]["id"], methods, origin)
    wanted = _wanted(scope)
    if wanted is not None:
        return tokens.issue(user=users[0], methods=methods, scope=wanted, origin=origin)
    return tokens.issue(user=users[0], methods=methods, scope=_default(users[0]), origin=origin)


def _by_password(user: dict[str, Any]) -> User:
    domain = user.get("domain") or {}
    found = check_password(
        user["password"],
        user_id=user.get("id"),
        name=user.get("name"),
        domain_id=domain.get("id"),
        domain_name=domain.get("name"),
    )
    if found is None:
        raise Unauthorized()
    return found


def _by_application_credential(identity: dict[str, Any], scope: Any) -> tuple[str, Grant]:
    """Return a token by an application credential, which alone says for what project it is."""
    if scope is not None or set(identity["methods"]) != {"application_credential"}:
        raise Unauthorized("Application credentials cannot request a scope, nor be joined with other methods.")
    sent = identity["application_credential"]
    where = Q(pk=sent["id"]) if "id" in sent else Q(name=sent["name"], user__in=User.objects.filter(_user(sent["user"])))
    rows = ApplicationCredential.objects.select_related("user", "project__domain").prefetch_related("roles", "access_rules")
    row, secret = rows.filter(where).first(), sent["secret"]
    if row is None or len(secret) > MAX_PASSWORD:
        make_password(secret[:MAX_PASSWORD], hasher=RandomSecretHasher.algorithm)
        raise Unauthorized()
    if not fits(secret, row.secret_hash) or (row.expires_at is not None and row.expires_at <= timezone.now()):
        raise Unauthorized()
    return tokens.issue(
        user=row.user,
        methods=["application_credential"],
        scope=Scope(project=row.project),
        delegation=delegations.lent_by(row),
    )


def _user(ref: dict[str, Any]) -> Q:
    """Return the condition for a user who is named by id, or by name and domain."""
    if "id" in ref:
        return Q(pk=ref["id"])
    domain = ref["domain"]
    return Q(name=ref["name"]) & (Q(domain_id=domain["id"]) if "id" in domain else Q(domain__name=domain["name"]))


def _by_trust(trustee: User, trust_id: str, methods: list[str], origin: Payload | None) -> tuple[str, Grant]:
    """Return a token by a trust for who was trusted; it uses up one use of it, unless it fails."""
    rows = Trust.objects.select_related("trustor__domain", "trustee__domain", "project__domain").prefetch_related("roles")
    row = rows.filter(pk=trust_id, trustee=trustee).first()
    if row is None:
        raise NotFound("trust", trust_id, f"Could not find trust: {trust_id}.")
    with transaction.atomic():
        if not trusts.consume(row):
            raise Forbidden(f"No remaining uses for trust {trust_id}.")
        return tokens.issue(
            user=row.trustor if row.impersonation else trustee,
            methods=methods,
            scope=Scope(project=row.project),
            origin=origin,
            delegation=delegations.lent_by(row),
        )


def _rescopable(grant: Grant) -> Grant:
    """Return a token that others may be got with; what was lent cannot be lent on so."""
    if grant.delegation is not None:
        raise Forbidden("Using a token that was lent to create another token is not allowed.")
    return grant


def _wanted(scope: dict[str, Any] | str | None) -> Scope | None:
    """Return the scope that was asked for, None when nothing was said."""
    if scope is None:
        return None
    if scope == "unscoped" or "unscoped" in scope:
        return Scope()
    assert isinstance(scope, dict)
    if "system" in scope:
        return Scope(system=True)
    if "domain" in scope:
        return Scope(domain=_found(Domain.objects.filter(_named(scope["domain"])).first()))
    project = scope["project"]
    where = _named(project)
    if "id" not in project:
        domain = project["domain"]
        where &= Q(domain_id=domain["id"]) if "id" in domain else Q(domain__name=domain["name"])
    return Scope(project=_found(Project.objects.select_related("domain").filter(where).first()))


def _named(ref: dict[str, Any]) -> Q:
    return Q(pk=ref["id"]) if "id" in ref else Q(name=ref["name"])


def _found(row: Any) -> Any:
    if row is None:
        raise Unauthorized()
    return row


def _default(user: User) -> Scope:
    """Return the user's default project while he can use it, else no scope (Identity v3, "Password authentication with
    unscoped authorization")."""
    if not user.default_project_id:
        return Scope()
    project = contexts.usable_projects(user.pk).filter(pk=user.default_project_id).first()
    return Scope(project=project)
