"""Tokens: sealed notes that say who signed in, for which scope and until when. None is stored; each use looks at the database.

Follows Identity v3, "Authentication and token management". A token stops to be good at once when it is revoked, when the user,
his domain, the project or its domain is disabled, when the password changes, and when the last role in its scope is taken away.
"""

import logging
import secrets
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.conf import settings

from accounts import access, contexts, delegations, holdings, policies
from accounts.delegations import Delegation
from accounts.holdings import DOMAIN, PROJECT, SYSTEM, UNSCOPED, Holding
from accounts.models import Domain, Project, RevokedToken, Role, User
from accounts.services import keys
from portal.core.context import RequestContext
from portal.core.errors import Unauthorized
from portal.core.policy import authorize

LOG = logging.getLogger(__name__)

VERSION = 2
MAX_LENGTH = 1024
EC2_METHOD = "ec2credential"


class Payload(msgspec.Struct, array_like=True, frozen=True):
    """What is sealed in a token. Ids travel packed; times are microseconds; ``via`` and ``lent`` name a delegation."""

    version: int
    user: bytes
    methods: list[str]
    kind: str
    scope: bytes
    issued_us: int
    expires_us: int
    audits: list[bytes]
    via: str = ""
    lent: bytes = b"t"

    @property
    def issued_at(self) -> datetime:
        return _moment(self.issued_us)

    @property
    def expires_at(self) -> datetime:
        return _moment(self.expires_us)

    @property
    def audit_ids(self) -> list[str]:
        """The token's own audit id, then that of the first of its chain."""
        return [urlsafe_b64encode(audit).rstrip(b"=").decode() for audit in self.audits]


@dataclass(frozen=True)
class Scope:
    """For what a token is: a project, a domain, the system, or nothing."""

    project: Project | None = None
    domain: Domain | None = None
    system: bool = False


@dataclass(frozen=True)
class Grant:
    """A token that holds: its note, and the rows behind it."""

    payload: Payload
    user: User
    scope: Scope
    roles: list[Role]
    delegation: Delegation | None = None

    def context(self, **request: Any) -> RequestContext:
        """Return the caller that this token makes. One by an EC2 key may, like a delegation, not reach for more keys."""
        if EC2_METHOD in self.payload.methods:
            request["restricted"] = True
        if self.delegation is not None:
            request |= self.delegation.request()
        if self.scope.project is not None:
            return contexts.project_context(self.user, self.scope.project, self.roles, **request)
        if self.scope.domain is not None:
            return contexts.domain_context(self.user, self.scope.domain, self.roles, **request)
        if self.scope.system:
            return contexts.system_context(self.user, self.roles, **request)
        return contexts.unscoped_context(self.user, **request)


def issue(
    *,
    user: User,
    methods: list[str],
    scope: Scope,
    origin: Payload | None = None,
    delegation: Delegation | None = None,
) -> tuple[str, Grant]:
    """Return a new token and what it grants; raises Unauthorized when the user holds no role in the scope.

    ``origin`` is the token that it was got with: the new one ends when that ends, and shares its audit chain. One by a delegation
    ends when that ends.
    """
    kind, scope_id = _kind(scope)
    now_us = time.time_ns() // 1000
    ends_us = origin.expires_us if origin else now_us + settings.TOKEN_LIFETIME_S * 1_000_000
    if delegation is not None and delegation.expires_at is not None:
        ends_us = min(ends_us, int(delegation.expires_at.timestamp() * 1_000_000))
    audit = secrets.token_bytes(16)
    payload = Payload(
        version=VERSION,
        user=_pack(user.pk),
        methods=list(dict.fromkeys([*(origin.methods if origin else []), *methods])),
        kind=kind,
        scope=_pack(scope_id),
        issued_us=now_us,
        expires_us=ends_us,
        audits=[audit, origin.audits[-1]] if origin else [audit],
        via=delegation.kind if delegation else "",
        lent=_pack(delegation.row.pk if delegation else ""),
    )
    grant = _look_up(payload, delegation)
    LOG.info("Issued token %s to user %s, scope %s %s", payload.audit_ids[0], user.pk, kind or "none", scope_id)
    return _seal(payload), grant


def validate(token: str, *, allow_expired: bool = False) -> Grant:
    """Return what a token grants now; raises Unauthorized for every token that is not good.

    ``allow_expired`` lets services finish what began before the token expired (Identity v3, "Validate and show information for
    token").
    """
    return _look_up(_open(token), allow_expired=allow_expired)


def context_for_token(
    token: str,
    asked: tuple[str, str] | None = None,
    *,
    request_id: str | None = None,
    global_request_id: str | None = None,
    remote_address: str | None = None,
) -> RequestContext:
    """Return the caller behind a token; raises Unauthorized.

    ``asked`` are method and path of his request. A token with access rules is good for what they say alone, and so for nothing
    where no request is named.
    """
    request: dict[str, Any] = {"global_request_id": global_request_id, "remote_address": remote_address}
    if request_id:
        request["request_id"] = request_id
    grant = validate(token)
    ctx = grant.context(**request)
    if ctx.access_rules is not None and (asked is None or not access.permits(ctx.access_rules, *asked)):
        raise _refusal(grant.payload, "its access rules do not name the request")
    return ctx


def revoke(grant: Grant) -> None:
    """Take one token back; tokens that were got with it stay."""
    payload = grant.payload
    RevokedToken.objects.get_or_create(audit_id=payload.audit_ids[0], defaults={"expires_at": payload.expires_at})
    LOG.info("Revoked token %s of user %s", payload.audit_ids[0], grant.user.pk)


def revoke_all(*, ctx: RequestContext, user: User) -> None:
    """End every token that a user has now."""
    authorize(ctx, policies.REVOKE_TOKENS_OF_USER, user)
    User.objects.filter(pk=user.pk).update(tokens_valid_from=datetime.now(UTC))
    LOG.info("Revoked all tokens of user %s", user.pk)


def forget_expired() -> int:
    """Drop the memory of revoked tokens that have expired; return how many."""
    return RevokedToken.objects.filter(expires_at__lt=datetime.now(UTC)).delete()[0]


def _look_up(payload: Payload, delegation: Delegation | None = None, *, allow_expired: bool = False) -> Grant:
    user_id, scope_id = _unpack(payload.user), _unpack(payload.scope)
    if payload.via and delegation is None:
        delegation = delegations.of(payload.via, _unpack(payload.lent))
        if delegation is None:
            raise _refusal(payload, "what it was lent was taken back")
    held = holdings.of(payload.kind, user_id=user_id, scope_id=scope_id, audit_id=payload.audit_ids[0])
    if held is None:
        raise _refusal(payload, "its user or its scope is gone")
    _check(payload, held, allow_expired)
    if delegation is not None and not delegation.accepts_token_from(payload.issued_at):
        raise _refusal(payload, "somebody who lent it or was lent it is disabled or has another password")
    roles = _roles(payload.kind, scope_id, delegation.lender_id if delegation else user_id, delegation)
    if payload.kind != UNSCOPED and not roles:
        raise _refusal(payload, "no role is held in its scope")
    return Grant(payload, held.user, Scope(held.project, held.domain, payload.kind == SYSTEM), roles, delegation)


def _roles(kind: str, scope_id: str, lender_id: str, delegation: Delegation | None) -> list[Role]:
    if kind == UNSCOPED:
        return []
    held = holdings.roles(kind, user_id=lender_id, scope_id=scope_id)
    return held if delegation is None else delegation.of_those(held)


def _check(payload: Payload, held: Holding, allow_expired: bool) -> None:
    late_us = time.time_ns() // 1000 - payload.expires_us
    if late_us >= (settings.EXPIRED_TOKEN_WINDOW_S * 1_000_000 if allow_expired else 0):
        raise _refusal(payload, "it has expired")
    if held.revoked:
        raise _refusal(payload, "it was revoked")
    if not held.user.accepts_token_from(payload.issued_at):
        raise _refusal(payload, "its user is disabled or has another password")
    if held.project is not None and not held.project.usable:
        raise _refusal(payload, "its project is disabled")
    if held.domain is not None and not held.domain.enabled:
        raise _refusal(payload, "its domain is disabled")


def _refusal(payload: Payload, reason: str) -> Unauthorized:
    LOG.info("Token %s is refused: %s", payload.audit_ids[0], reason)
    return Unauthorized()


def _kind(scope: Scope) -> tuple[str, str]:
    if scope.project is not None:
        return PROJECT, scope.project.pk
    if scope.domain is not None:
        return DOMAIN, scope.domain.pk
    return (SYSTEM, "") if scope.system else (UNSCOPED, "")


def _seal(payload: Payload) -> str:
    return keys.TOKENS.seal(msgspec.msgpack.encode(payload))


def _open(token: str) -> Payload:
    if not 0 < len(token) <= MAX_LENGTH:
        raise Unauthorized()
    try:
        payload = _decoder.decode(keys.TOKENS.unseal(token))
    except (keys.InvalidToken, msgspec.DecodeError) as error:
        raise Unauthorized() from error
    if payload.version != VERSION or not payload.audits or payload.kind not in (PROJECT, DOMAIN, SYSTEM, UNSCOPED):
        raise Unauthorized()
    return payload


_decoder = msgspec.msgpack.Decoder(Payload)


def _pack(name: str) -> bytes:
    """Return an id in few bytes: behind ``h`` what 32 hex digits spell, behind ``t`` any other id as text."""
    try:
        packed = bytes.fromhex(name)
    except ValueError:
        return b"t" + name.encode()
    return b"h" + packed if packed.hex() == name else b"t" + name.encode()


def _unpack(packed: bytes) -> str:
    return packed[1:].hex() if packed[:1] == b"h" else packed[1:].decode()


def _moment(microseconds: int) -> datetime:
    """Return the time exactly; floating point would lose microseconds."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)
