"""Waits between tries to sign in by password, growing with each wrong one.

Three counts, each in the cache: of an account as strangers try it, of an account as it is tried from an address where its owner
signed in before, and of an address whatever it tries. Others' tries therefore never keep the owner out of a place that he uses, and
what he mistypes there never depends on them. Names that nobody has are counted as if somebody had them, so a wait tells nothing.
"""

import hashlib
import ipaddress
import time
from typing import Any

from django.conf import settings
from django.core.cache import cache

from accounts.models import User
from accounts.services import once

FORGET_S = 3600
KNOWN_S = 30 * 24 * 3600
IPV6_NETWORK = 64


class Try:
    """One try: who it is about and where it comes from, as the counts stand when it begins."""

    def __init__(self, account: str, address: str) -> None:
        place = _place(address)
        here = _hash(account, place)
        self._known_key = f"sign-in:known:{here}"
        self._address = f"sign-in:address:{_hash(place)}"
        with once.answering():
            found = cache.get_many(
                [self._known_key, *map(_until, (f"sign-in:here:{here}", _strangers(account), self._address))]
            )
        self._found: dict[str, Any] = found
        self.known = self._known_key in found
        self._account = f"sign-in:here:{here}" if self.known else _strangers(account)

    @property
    def told_s(self) -> int:
        """How long to wait, as it is told to who did not get in: the same whether or not anybody has the name."""
        return max(self._left_s(self._account), self._left_s(self._address))

    def holds(self, user: User) -> bool:
        """Whether a user has to wait, right as his password is; where he is at home, he does not answer for his neighbours."""
        if not user.options.get("ignore_lockout_failure_attempts") and self._left_s(self._account):
            return True
        return not self.known and self._left_s(self._address) > 0

    def failed(self) -> None:
        """Count a wrong try and let the next one wait; what waits already does not count."""
        for count, free in ((self._account, settings.SIGN_IN_TRIES), (self._address, settings.SIGN_IN_TRIES_PER_ADDRESS)):
            number = 0 if self._left_s(count) else once.count(count, FORGET_S)
            if number >= free:
                self._wait(count, number - free)

    def passed(self) -> None:
        """Forget the wrong tries of this account, and remember that its owner is at home here."""
        with once.answering():
            cache.delete_many([self._account, _until(self._account)])
            cache.set(self._known_key, True, KNOWN_S)

    def _left_s(self, count: str) -> int:
        return max(0, int(self._found.get(_until(count), 0.0) - time.time() + 0.999))

    def _wait(self, count: str, beyond: int) -> None:
        seconds = min(settings.SIGN_IN_WAIT_S * 2 ** min(beyond, 20), settings.SIGN_IN_LONGEST_WAIT_S)
        ends = time.time() + seconds
        with once.answering():
            cache.touch(count, FORGET_S)
            cache.set(_until(count), ends, seconds)
        self._found[_until(count)] = ends


def account_of(domain: str, name: str) -> str:
    """Return what counts go by: a name in a domain, whether or not anybody has it."""
    return f"{domain}\x00{name}"


def forget(user: User) -> None:
    """Let strangers' tries count no more, as when an operator gives a user a new password."""
    count = _strangers(account_of(user.domain_id, user.name))
    with once.answering():
        cache.delete_many([count, _until(count)])


def _strangers(account: str) -> str:
    return f"sign-in:account:{_hash(account)}"


def _until(count: str) -> str:
    return f"{count}:until"


def _place(address: str) -> str:
    """Return an address as one is counted: of IPv6 the network that one customer has."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, IPV6_NETWORK), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)


def _hash(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:32]
