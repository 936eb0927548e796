"""Tries to prove by a password who somebody is.

Every refusal reads and costs the same, whether the name, the password or the account was at fault.
"""

from dataclasses import dataclass
from typing import TypedDict, Unpack

from accounts.hashers import check_in_vain
from accounts.models import DEFAULT_DOMAIN_ID, Domain, User
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
        super().__init__(f"The password is expired and needs to be changed for user: {user.pk}.")


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


def person(
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
