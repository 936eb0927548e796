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
from accounts.services import delays, receipts, second_factor, tokens
from accounts.services.tokens import Grant, Payload, Scope
from portal.core.errors import NotFound, Unauthorized

MAX_PASSWORD = 4096


class PasswordExpired(Unauthorized):
    """The password is right, but good for nothing any more than for choosing another one."""

    def __init__(self, user: User) -> None:
        super().__init__(f"The password is expired and needs to be changed for user: {user.pk}.")


@dataclass(frozen=True)
class Attempt:
    """What a try by password gave: the user when he is let in, else how long the next try has to wait.

    With ``both`` he proved his second factor as well.
    """

    user: User | None
    wait_s: int = 0
    both: bool = False


def attempt(password: str, *, address: str, code: str = "", **who: str | None) -> Attempt:
    """Try a password for the user that ``who`` names, from an address; the password may have expired.

    One hash is worked out and the same questions are asked whether the name, the password or the account is at fault or the
    account has to wait. Who waits is let in by the right password with the right code of his second factor.
    """
    user, account = _person(**who)
    tried = delays.Try(account, address)
    right = _is_right(user, password)
    wait_s = tried.wait_s(user)
    if user is None or not right:
        if not wait_s:
            tried.failed()
        return Attempt(None, wait_s or tried.wait_s(user))
    both = bool(code) and second_factor.verify(user=user, code=code)
    if wait_s and not both:
        return Attempt(None, wait_s)
    tried.passed()
    return Attempt(user, both=both)


def _is_right(user: User | None, password: str) -> bool:
    if user is None or len(password) > MAX_PASSWORD:
        make_password(password[:MAX_PASSWORD])
        return False
    return user.check_password(password) and user.enabled and user.domain.enabled


@dataclass(frozen=True)
class Proof:
    """What one method proved: who it is, and the token it was done with."""

    user: User
    origin: Payload | None = None


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
    wanted = _wanted(scope)
    receipts.check(user, proved, METHODS)
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
    return Proof(grant.user, grant.payload)


def _by_totp(sent: dict[str, Any], known: set[str], _address: str) -> Proof:
    user, _account = _person(**_named_in(sent["user"]))
    if user is None or not user.enabled or not user.domain.enabled:
        raise Unauthorized()
    if not second_factor.verify(user=user, code=sent["user"]["passcode"], alone=user.pk not in known):
        raise Unauthorized()
    return Proof(user)


METHODS: dict[str, Callable[[dict[str, Any], set[str], str], Proof]] = {
    "password": _by_password,
    "token": _by_token,
    "totp": _by_totp,
}
"""What each method proves from what was sent for it, whom earlier methods proved, and the address; the second factor comes last."""


def _named_in(user: dict[str, Any]) -> dict[str, str | None]:
    domain = user.get("domain") or {}
    return {
        "user_id": user.get("id"),
        "name": user.get("name"),
        "domain_id": domain.get("id"),
        "domain_name": domain.get("name"),
    }


def _person(
    *, user_id: str | None = None, name: str | None = None, domain_id: str | None = None, domain_name: str | None = None
) -> tuple[User | None, str]:
    """Return the user who is meant, None when there is none, and the account that tries are counted for. Always two queries.

    A name without a domain is a name of the default domain.
    """
    named = [text for text in (user_id, name, domain_id, domain_name) if text is not None]
    if not named or any("\x00" in text or len(text) > 255 for text in named):
        return None, delays.account_of("", "")
    people = User.objects.filter(name=name) if user_id is None else User.objects.filter(pk=user_id)
    if user_id is not None and domain_id is None and domain_name is None:
        user = people.first()
        domain = Domain.objects.filter(pk=user.domain_id if user else "").first()
    else:
        where = {"pk": domain_id or DEFAULT_DOMAIN_ID} if domain_name is None else {"name": domain_name}
        domain = Domain.objects.filter(**where).first()
        user = people.filter(domain_id=domain.pk if domain else "").first()
    place = domain.pk if domain is not None else f"?{domain_name or domain_id}"
    if user is None or domain is None:
        return None, delays.account_of(place, str(name) if user_id is None else f"?{user_id}")
    user.domain = domain
    return user, delays.account_of(place, user.name)


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
