"""Receipts: what somebody has proved so far, when his rules ask for more (Identity v3, "Multi-Factor Authentication").

A receipt is sealed with the keys of tokens, is no token, and is good for a few minutes.
"""

import time
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Literal

import msgspec
from django.conf import settings

from accounts.models import User
from accounts.services import keys
from portal.core.errors import Unauthorized

MAX_LENGTH = 1024


class Receipt(msgspec.Struct, array_like=True, frozen=True):
    """What is sealed in a receipt; times are microseconds."""

    kind: Literal["receipt"]
    user_id: str
    methods: list[str]
    issued_us: int
    expires_us: int

    @property
    def issued_at(self) -> datetime:
        return datetime.fromtimestamp(self.issued_us / 1_000_000, UTC)

    @property
    def expires_at(self) -> datetime:
        return datetime.fromtimestamp(self.expires_us / 1_000_000, UTC)


class MoreProofNeeded(Unauthorized):
    """What was proved is right, but the user's rules ask for more; the receipt stands for it at the next try."""

    def __init__(self, user: User, receipt: Receipt, required: list[list[str]]) -> None:
        super().__init__()
        self.user = user
        self.receipt = receipt
        self.required = required

    @property
    def sealed(self) -> str:
        """The receipt as the client carries it."""
        return keys.TOKENS.seal(_encoder.encode(self.receipt))


def opened(text: str) -> Receipt:
    """Return a receipt that is still good; raises Unauthorized."""
    if len(text) > MAX_LENGTH:
        raise Unauthorized()
    try:
        receipt = _decoder.decode(keys.TOKENS.unseal(text))
    except (keys.InvalidToken, msgspec.DecodeError) as error:
        raise Unauthorized() from error
    if receipt.expires_us <= _now_us():
        raise Unauthorized()
    return receipt


def check(user: User, methods: list[str], known: Collection[str]) -> None:
    """Return when these methods are enough for the user; raises MoreProofNeeded otherwise.

    One of his rules must be met. Methods that this service does not know are left out of rules, and a rule of none but such does
    not count, so that nobody is shut out by a word.
    """
    rules = [[method for method in rule if method in known] for rule in user.options.get("multi_factor_auth_rules") or []]
    rules = [rule for rule in rules if rule]
    if not rules or user.options.get("multi_factor_auth_enabled") is False:
        return
    if any(set(rule) <= set(methods) for rule in rules):
        return
    now_us = _now_us()
    receipt = Receipt("receipt", user.pk, methods, now_us, now_us + settings.RECEIPT_LIFETIME_S * 1_000_000)
    raise MoreProofNeeded(user, receipt, [rule for rule in rules if set(rule) & set(methods)])


def _now_us() -> int:
    return time.time_ns() // 1000


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Receipt)
