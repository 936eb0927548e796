"""Proving who somebody is: by a password, by a token that is still good, by a one-time password, by an application credential, or
by several of these.

Every refusal reads and costs the same, whether the name, the password or the account was at fault.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.hashers import check_password as fits
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import contexts, delegations
from accounts.hashers import RandomSecretHasher
from accounts.models import ApplicationCredential, Domain, Project, Trust, User
from accounts.services import receipts, second_factor, tokens, trusts
from accounts.services.attempts import MAX_PASSWORD, Named, PasswordExpired, attempt, person
from accounts.services.tokens import Grant, Payload, Scope
from portal.core.errors import Forbidden, NotFound, Unauthorized

APPLICATION_CREDENTIAL, TRUST = "application_credential", "OS-TRUST:trust"


@dataclass(frozen=True)
class Proof:
    """What one method proved: who it is, and the token or the application credential it was done with."""

    user: User
    origin: Payload | None = None
    lent: ApplicationCredential | None = None


def authenticate(
    identity: dict[str, Any], scope: dict[str, Any] | str | None, receipt: str | None = None, *, address: str = ""
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
        proofs.append(METHODS[method](identity[method], known, address))
        known.add(proofs[-1].user.pk)
    user = proofs[0].user
    if len(known) != 1 or (earlier is not None and not user.accepts_token_from(earlier.issued_at)):
        raise Unauthorized()
    origin = next((proof.origin for proof in proofs if proof.origin), None)
    proved = list(dict.fromkeys([*(earlier.methods if earlier else []), *(origin.methods if origin else []), *methods]))
    lent = next((proof.lent for proof in proofs if proof.lent), None)
    if lent is None and APPLICATION_CREDENTIAL in proved:
        raise Unauthorized("An application credential must be sent along with the other methods.")
    receipts.check(user, proved, METHODS)
    if lent is not None:
        return _with_application_credential(lent, scope, proved, origin)
    if isinstance(scope, dict) and TRUST in scope:
        return _by_trust(user, scope[TRUST]["id"], proved, origin)
    wanted = _wanted(scope)
    return tokens.issue(user=user, methods=proved, scope=_default(user) if wanted is None else wanted, origin=origin)


def _by_password(sent: dict[str, Any], _known: set[str], address: str) -> Proof:
    found = attempt(sent["user"]["password"], address=address, **_named_in(sent["user"])).user
    if found is None:
        raise Unauthorized()
    if found.password_expired:
        raise PasswordExpired(found)
    return Proof(found)


def _by_token(sent: dict[str, Any], _known: set[str], _address: str) -> Proof:
    """A token that is not good is not found, as upstream says it."""
    try:
        grant = tokens.validate(sent["id"])
    except Unauthorized as error:
        raise NotFound("token", "", "Failed to validate token") from error
    if grant.context().restricted or grant.delegation is not None:
        raise Forbidden("Using a token that was lent to create another token is not allowed.")
    return Proof(grant.user, grant.payload)


def _by_application_credential(sent: dict[str, Any], _known: set[str], _address: str) -> Proof:
    where = Q(pk=sent["id"]) if "id" in sent else _named_for_owner(sent)
    rows = ApplicationCredential.objects.select_related("user__domain", "project__domain")
    row, secret = rows.prefetch_related("roles", "access_rules").filter(where).first(), sent["secret"]
    if row is None or len(secret) > MAX_PASSWORD:
        make_password(secret[:MAX_PASSWORD], hasher=RandomSecretHasher.algorithm)
        raise Unauthorized()
    if not fits(secret, row.secret_hash) or (row.expires_at is not None and row.expires_at <= timezone.now()):
        raise Unauthorized()
    return Proof(row.user, lent=row)


def _named_for_owner(sent: dict[str, Any]) -> Q:
    return Q(name=sent["name"], user=person(**_named_in(sent["user"]))[0])


def _by_totp(sent: dict[str, Any], known: set[str], _address: str) -> Proof:
    user, _account = person(**_named_in(sent["user"]))
    if user is None or not user.enabled or not user.domain.enabled:
        raise Unauthorized()
    if not second_factor.verify(user=user, code=sent["user"]["passcode"], alone=user.pk not in known):
        raise Unauthorized()
    return Proof(user)


METHODS: dict[str, Callable[[dict[str, Any], set[str], str], Proof]] = {
    "password": _by_password,
    "token": _by_token,
    APPLICATION_CREDENTIAL: _by_application_credential,
    "totp": _by_totp,
}
"""What each method proves from what was sent for it, whom earlier methods proved, and the address; the second factor comes last."""


def _named_in(user: dict[str, Any]) -> Named:
    domain = user.get("domain") or {}
    return {
        "user_id": user.get("id"),
        "name": user.get("name"),
        "domain_id": domain.get("id"),
        "domain_name": domain.get("name"),
    }


def _with_application_credential(
    row: ApplicationCredential, scope: Any, methods: list[str], origin: Payload | None
) -> tuple[str, Grant]:
    """Return a token by an application credential, which alone says for what project it is."""
    if scope is not None:
        raise Unauthorized("Application credentials cannot request a scope.")
    return tokens.issue(
        user=row.user,
        methods=methods,
        scope=Scope(project=row.project),
        origin=origin,
        delegation=delegations.lent_by(row),
    )


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
