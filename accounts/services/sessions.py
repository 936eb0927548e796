"""Sessions of browsers: begun, looked at, ended from elsewhere."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import SignIn, User
from portal.core import feed
from portal.core.errors import NotFound

SEEN_EVERY = timedelta(minutes=5)
MAX_AGENT = 255


@dataclass(frozen=True)
class Session:
    """One place where somebody is signed in. ``handle`` names it without being a key to it."""

    handle: str
    address: str
    agent: str
    created_at: datetime
    seen_at: datetime
    here: bool


def user_group(user_id: str) -> str:
    """Return the group of all open websockets of a user."""
    return f"user.{user_id}"


def begin(*, user: User, session: Any, address: str, agent: str) -> None:
    """Remember that somebody signed in, so that he sees it and can end it."""
    session["seen_at"] = timezone.now().timestamp()
    session.save()
    row = SignIn(session_key=session.session_key, user=user, address=address[:64], agent=agent.replace("\x00", "")[:MAX_AGENT])
    row.save(force_insert=True)


def forget(session_key: str | None) -> None:
    """Take note that somebody signed out here, so that what this session has open ends at once."""
    row = SignIn.objects.select_related("user").filter(pk=session_key or "").first()
    if row is not None:
        _end(row.user, [row.pk])


def seen(session: Any) -> None:
    """Note that a session is in use; written no more than once in some minutes."""
    last = session.get("seen_at")
    if last is None or timezone.now().timestamp() - last < SEEN_EVERY.total_seconds():
        return
    session["seen_at"] = timezone.now().timestamp()
    SignIn.objects.filter(pk=session.session_key).update(seen_at=timezone.now())


def of(user: User, here: str | None = None) -> list[Session]:
    """Return where a user is signed in now, this session (``here``) first, then the latest."""
    found = [_told(row, here) for row in _living(user)]
    return sorted(found, key=lambda session: not session.here)


def end(*, user: User, handle: str) -> None:
    """End one session of a user, and what it has open."""
    row = next((row for row in _living(user) if handle_of(row.pk) == handle), None)
    if row is None:
        raise NotFound("Session", handle)
    _end(user, [row.pk])


def end_all(*, user: User, but: str | None = None) -> None:
    """End the sessions of a user, except one, and what they have open."""
    _end(user, list(SignIn.objects.filter(user=user).exclude(pk=but or "").values_list("pk", flat=True)))


def is_open(user_id: str, handle: str) -> bool:
    """Whether a user is still signed in where ``handle`` says."""
    keys = SignIn.objects.filter(user_id=user_id, seen_at__gte=_oldest()).values_list("pk", flat=True)
    return any(handle_of(key) == handle for key in keys)


def moved(*, old_key: str | None, new_key: str) -> None:
    """Follow a session that goes on under a new key."""
    SignIn.objects.filter(pk=old_key or "").update(session_key=new_key)


def forget_expired() -> int:
    """Drop the memory of sessions that are over, and these; return how many were remembered."""
    _store().clear_expired()
    return SignIn.objects.filter(seen_at__lt=_oldest()).delete()[0]


@transaction.atomic
def _end(user: User, keys: list[str]) -> None:
    for key in keys:
        _store()(key).delete()
    SignIn.objects.filter(user=user, pk__in=keys).delete()
    feed.publish([user_group(user.pk)], {"type": "session.changed"})


def _living(user: User) -> Any:
    return SignIn.objects.filter(user=user, seen_at__gte=_oldest())


def _oldest() -> datetime:
    return timezone.now() - timedelta(seconds=settings.SESSION_COOKIE_AGE)


def _told(row: SignIn, here: str | None) -> Session:
    return Session(handle_of(row.pk), row.address, row.agent, row.created_at, row.seen_at, row.pk == here)


def handle_of(session_key: str) -> str:
    """Return what names a session without being a key to it."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:20]


def _store() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore
