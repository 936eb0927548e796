"""Proving who somebody is: by a password, by a token that is still good, by a one-time password, or by several of these.

Every refusal reads and costs the same, whether the name, the password or the account was at fault.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db.models import Q

from accounts import contexts
from accounts.models import DEFAULT_DOMAIN_ID, Domain, Project, User
from accounts.services import receipts, second_factor, tokens
from accounts.services.tokens import Grant, Payload, Scope
from portal.core.errors import NotFound, Unauthorized

MAX_PASSWORD = 4096


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
    user = _person(user_id=user_id, name=name, domain_id=domain_id, domain_name=domain_name)
    if user is None or len(password) > MAX_PASSWORD:
        make_password(password[:MAX_PASSWORD])
        return None
    right = user.check_password(password)
    return user if right and user.enabled and user.domain.enabled else None


@dataclass(frozen=True)
class Proof:
    """What one method proved: who it is, and the token it was done with."""

    user: User
    origin: Payload | None = None


def authenticate(
    identity: dict[str, Any], scope: dict[str, Any] | str | None, receipt: str | None = None
) -> tuple[str, Grant]:
    """Return a token for what a client sent as ``auth.identity`` and ``auth.scope``; raises Unauthorized.

    With a receipt, what was proved before counts too. MoreProofNeeded, which is Unauthorized as well, carries the next one.
    """
    if not set(identity["methods"]) <= METHODS.keys():
        raise Unauthorized("Attempted to authenticate with an unsupported method.")
    methods = [method for method in METHODS if method in identity["methods"]]
    earlier = receipts.opened(receipt) if receipt else None
    known = {earlier.user_id} if earlier else set()
    proofs: list[Proof] = []
    for method in methods:
        proofs.append(METHODS[method](identity[method], known))
        known.add(proofs[-1].user.pk)
    user = proofs[0].user
    if len(known) != 1 or (earlier is not None and not user.accepts_token_from(earlier.issued_at)):
        raise Unauthorized()
    origin = next((proof.origin for proof in proofs if proof.origin), None)
    proved = list(dict.fromkeys([*(earlier.methods if earlier else []), *(origin.methods if origin else []), *methods]))
    wanted = _wanted(scope)
    receipts.check(user, proved, METHODS)
    return tokens.issue(user=user, methods=proved, scope=_default(user) if wanted is None else wanted, origin=origin)


def _by_password(sent: dict[str, Any], _known: set[str]) -> Proof:
    found = check_password(sent["user"]["password"], **_named_in(sent["user"]))
    if found is None:
        raise Unauthorized()
    return Proof(found)


def _by_token(sent: dict[str, Any], _known: set[str]) -> Proof:
    """A token that is not good is not found, as upstream says it."""
    try:
        grant = tokens.validate(sent["id"])
    except Unauthorized as error:
        raise NotFound("token", "", "Failed to validate token") from error
    return Proof(grant.user, grant.payload)


def _by_totp(sent: dict[str, Any], known: set[str]) -> Proof:
    user = _person(**_named_in(sent["user"]))
    if user is None or not user.enabled or not user.domain.enabled:
        raise Unauthorized()
    if not second_factor.verify(user=user, code=sent["user"]["passcode"], alone=user.pk not in known):
        raise Unauthorized()
    return Proof(user)


METHODS: dict[str, Callable[[dict[str, Any], set[str]], Proof]] = {
    "password": _by_password,
    "token": _by_token,
    "totp": _by_totp,
}
"""What each method proves from what was sent for it and from whom earlier methods proved; the second factor comes last."""


def _named_in(user: dict[str, Any]) -> dict[str, str | None]:
    domain = user.get("domain") or {}
    return {
        "user_id": user.get("id"),
        "name": user.get("name"),
        "domain_id": domain.get("id"),
        "domain_name": domain.get("name"),
    }


def _person(*, user_id: str | None, name: str | None, domain_id: str | None, domain_name: str | None) -> User | None:
    where = Q(pk=user_id) if user_id is not None else Q(name=name)
    if domain_name is not None:
        where &= Q(domain__name=domain_name)
    elif domain_id is not None or user_id is None:
        where &= Q(domain_id=domain_id or DEFAULT_DOMAIN_ID)
    named = [text for text in (user_id, name, domain_id, domain_name) if text is not None]
    speakable = named and not any("\x00" in text or len(text) > 255 for text in named)
    return User.objects.select_related("domain").filter(where).first() if speakable else None


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
