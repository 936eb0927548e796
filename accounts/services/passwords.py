"""Passwords: what they must be like, given by operators, chosen by their owners, forgotten not too soon."""

import logging
import re
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import PastPassword, User
from accounts.services import delays, sessions
from accounts.services.attempts import MAX_PASSWORD, attempt
from portal.core.errors import BadRequest, Unauthorized

LOG = logging.getLogger(__name__)

WRITTEN = ["password", "password_changed_at", "password_expires_at", "password_own_choice", "tokens_valid_from"]


def put(user: User, password: str | None) -> None:
    """Put a password that somebody else gives on a user, not saved; without one he cannot sign in by password."""
    if password is not None:
        check_form(password)
    user.set_password(password)
    user.password_own_choice = False
    first_use = settings.PASSWORD_CHANGE_AT_FIRST_USE and not user.options.get("ignore_change_password_upon_first_use")
    user.password_expires_at = timezone.now() if first_use and password is not None else _expiry(user)


@transaction.atomic
def reset(user: User, password: str | None) -> None:
    """Give a user another password: his tokens and sessions end, and what strangers tried on his account counts no more.

    What he had before does not matter here; it is remembered all the same.
    """
    remember(user)
    put(user, password)
    user.save(update_fields=WRITTEN)
    sessions.end_all(user=user)
    delays.forget(user)


def change_own(*, user_id: str, original: str, password: str, address: str = "") -> None:
    """Change the password of whoever proves to know the old one, expired or not; raises Unauthorized."""
    user = attempt(original, address=address, user_id=user_id).user
    if user is None:
        raise Unauthorized()
    choose(user=user, password=password)


@transaction.atomic
def choose(*, user: User, password: str, session_key: str | None = None) -> None:
    """Give a user the password that he chose himself; tokens and sessions end, but for the session in which he does it."""
    if user.options.get("lock_password"):
        raise BadRequest(_("This password cannot be changed by its owner. An operator can set another one."))
    _check_age(user)
    check_form(password)
    _check_history(user, password)
    remember(user)
    user.set_password(password)
    user.password_own_choice = True
    user.password_expires_at = _expiry(user)
    user.save(update_fields=WRITTEN)
    sessions.end_all(user=user, but=session_key)
    LOG.info("User %s changed his password", user.pk)


def check_form(password: str) -> None:
    """Raise BadRequest for a password that is too short, too long, or not of the form that this cloud wants."""
    least = settings.PASSWORD_MIN_LENGTH
    if not least <= len(password) <= MAX_PASSWORD:
        raise BadRequest(
            _("The password does not match the requirements: it must have %(least)s to %(most)s characters.")
            % {"least": least, "most": MAX_PASSWORD}
        )
    if settings.PASSWORD_REGEX and not re.match(settings.PASSWORD_REGEX, password):
        words = settings.PASSWORD_REGEX_WORDS
        if words:
            raise BadRequest(_("The password does not match the requirements: %(words)s.") % {"words": words})
        raise BadRequest(
            _("The password does not match the requirements: it must match %(regex)s.") % {"regex": settings.PASSWORD_REGEX}
        )


def remember(user: User) -> None:
    """Keep the hash of the present password, and no more of the earlier ones than the rule needs."""
    kept = max(0, settings.PASSWORD_UNIQUE_LAST - 1)
    if kept and user.has_usable_password():
        PastPassword.objects.create(user=user, password_hash=user.password)
    past = PastPassword.objects.filter(user=user)
    past.exclude(pk__in=list(past.values_list("pk", flat=True)[:kept])).delete()


def _check_history(user: User, password: str) -> None:
    if settings.PASSWORD_UNIQUE_LAST < 1:
        return
    past = user.past_passwords.values_list("password_hash", flat=True)[: settings.PASSWORD_UNIQUE_LAST - 1]
    if any(check_password(password, used) for used in (user.password, *past)):
        raise BadRequest(_("The new password must differ from the ones before it."))


def _check_age(user: User) -> None:
    """A password that its owner was given, or that has expired, may be changed at any time."""
    if not settings.PASSWORD_MIN_AGE_DAYS or not user.password_own_choice or user.password_expired:
        return
    ripe = (user.password_changed_at or timezone.now()) + timedelta(days=settings.PASSWORD_MIN_AGE_DAYS)
    if timezone.now() < ripe:
        raise BadRequest(
            _("This password is too new to be changed. It can be changed from %(time)s UTC on.")
            % {"time": f"{ripe:%Y-%m-%d %H:%M}"}
        )


def _expiry(user: User) -> datetime | None:
    if not settings.PASSWORD_EXPIRES_DAYS or not user.has_usable_password() or user.options.get("ignore_password_expiry"):
        return None
    return (timezone.now() + timedelta(days=settings.PASSWORD_EXPIRES_DAYS)).replace(microsecond=0)
