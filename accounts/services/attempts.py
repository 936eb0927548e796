"""Tries to prove by a password who somebody is.

Every refusal reads and costs the same, whether the name, the password or the account was at fault.
"""

from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

from django.utils.translation import gettext as _

from accounts.hashers import check_in_vain
from accounts.models import DEFAULT_DOMAIN_ID, Domain, User
from accounts.prepared import Part, PreparedQuery
from accounts.services import delays, second_factor
from portal.core.errors import Unauthorized

MAX_PASSWORD = 4096


class Named(TypedDict, total=False):
    """How a client names a user: by id, or by name and domain."""

    user_id: str | None
    name: str | None
    domain_id: str | None
    domain_name: str | None


class PasswordExpired(Unauthorized):
    """The password is right, but good for nothing any more than for choosing another one."""

    def __init__(self, user: User) -> None:
        super().__init__(_("The password is expired and needs to be changed for user: %(user)s.") % {"user": user.pk})


@dataclass(frozen=True)
class Attempt:
    """What a try by password gave: the user when he is let in, else how long the next try has to wait.

    With ``both`` he proved his second factor as well.
    """

    user: User | None
    wait_s: int = 0
    both: bool = False


def attempt(password: str, *, address: str, code: str = "", **who: Unpack[Named]) -> Attempt:
    """Try a password for the user that ``who`` names, from an address; the password may have expired.

    One hash is worked out and the same questions are asked whether the name, the password or the account is at fault or the
    account has to wait. Who waits is let in by the right password with the right code of his second factor.
    """
    user, account = person(**who)
    tried = delays.Try(account, address)
    right = _is_right(user, password)
    if user is None or not right:
        tried.failed()
        return Attempt(None, tried.told_s)
    both = bool(code) and second_factor.verify(user=user, code=code)
    if tried.holds(user) and not both:
        return Attempt(None, tried.told_s)
    tried.passed()
    return Attempt(user, both=both)


def _is_right(user: User | None, password: str) -> bool:
    if user is None or len(password) > MAX_PASSWORD or not user.has_usable_password():
        check_in_vain(password[:MAX_PASSWORD])
        return False
    return user.check_password(password) and user.enabled and user.domain.enabled


_USER = Part(User, "", [field.attname for field in User._meta.concrete_fields])
_DOMAIN = Part(Domain, "", [field.attname for field in Domain._meta.concrete_fields])
_USER_BY_ID = PreparedQuery(lambda key: User.objects.filter(pk=key).order_by().values_list(*_USER.columns), "key")
_USER_BY_NAME = PreparedQuery(
    lambda key, home: User.objects.filter(name=key, domain_id=home).order_by().values_list(*_USER.columns), "key", "home"
)
_DOMAIN_BY_ID = PreparedQuery(lambda key: Domain.objects.filter(pk=key).order_by().values_list(*_DOMAIN.columns), "key")
_DOMAIN_BY_NAME = PreparedQuery(lambda key: Domain.objects.filter(name=key).order_by().values_list(*_DOMAIN.columns), "key")


def _one(part: Part, query: PreparedQuery, **values: Any) -> Any:
    found = query.rows(**values)
    return part.row(found[0]) if found else None


def person(
    *, user_id: str | None = None, name: str | None = None, domain_id: str | None = None, domain_name: str | None = None
) -> tuple[User | None, str]:
    """Return the user who is meant, None when there is none, and the account that tries are counted for. Always two queries.

    A name without a domain is a name of the default domain.
    """
    named = [text for text in (user_id, name, domain_id, domain_name) if text is not None]
    if not named or any("\x00" in text or len(text) > 255 for text in named):
        return None, delays.account_of("", "")
    if user_id is not None and domain_id is None and domain_name is None:
        user = _one(_USER, _USER_BY_ID, key=user_id)
        domain = _one(_DOMAIN, _DOMAIN_BY_ID, key=user.domain_id if user else "")
    else:
        by_id = domain_name is None
        domain = _one(_DOMAIN, _DOMAIN_BY_ID if by_id else _DOMAIN_BY_NAME, key=domain_name or domain_id or DEFAULT_DOMAIN_ID)
        home = domain.pk if domain else ""
        user = _one(_USER, _USER_BY_NAME, key=name, home=home) if user_id is None else _one(_USER, _USER_BY_ID, key=user_id)
        user = user if user is not None and user.domain_id == home else None
    place = domain.pk if domain is not None else f"?{domain_name or domain_id}"
    if user is None or domain is None:
        return None, delays.account_of(place, str(name) if user_id is None else f"?{user_id}")
    user.domain = domain
    return user, delays.account_of(place, user.name)
