"""The steps of signing in: what is proved so far, kept in the session for some minutes, and what is still asked for."""

import time
from typing import Any

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.crypto import constant_time_compare

from accounts.backends import PasswordBackend
from accounts.models import User
from accounts.services import receipts, second_factor, sessions
from accounts.services.authentication import METHODS

PENDING = "signing_in"
PATIENCE_S = 600
BACKEND = "accounts.backends.PasswordBackend"


def go_on(request: HttpRequest, user: User, methods: list[str], way: str) -> HttpResponse:
    """Return the next step for somebody who proved himself by these methods: the second factor, a new password, or in."""
    if needs_code(user, methods):
        return _wait_for("account:code", request, user, methods, way)
    if user.password_expired:
        return _wait_for("account:new-password", request, user, methods, way)
    return enter(request, user, way)


def enter(request: HttpRequest, user: User, way: str) -> HttpResponse:
    """Sign somebody in; the session goes on under a new key."""
    request.session.pop(PENDING, None)
    login(request, user, backend=BACKEND)
    agent = request.headers.get("User-Agent", "")
    sessions.begin(user=user, session=request.session, address=request.META.get("REMOTE_ADDR", ""), agent=agent)
    return redirect(way)


def needs_code(user: User, methods: list[str]) -> bool:
    """Whether the second factor is still asked for, by the user's own choice or by his rules."""
    if "totp" in methods:
        return False
    try:
        receipts.check(user, methods, METHODS)
    except receipts.MoreProofNeeded:
        return True
    return second_factor.is_enrolled(user)


def pending(request: HttpRequest) -> tuple[User, list[str], str] | None:
    """Return who is about to sign in here, what he proved, and where he wants to go; None when that was too long ago."""
    found: dict[str, Any] = request.session.get(PENDING) or {}
    if not found or time.time() - found["at"] > PATIENCE_S:
        return None
    user = PasswordBackend().get_user(found["user"])
    if user is None or not constant_time_compare(found["stamp"], user.get_session_auth_hash()):
        return None
    return user, found["methods"], found["way"]


def _wait_for(step: str, request: HttpRequest, user: User, methods: list[str], way: str) -> HttpResponse:
    request.session.cycle_key()
    stamp = user.get_session_auth_hash()
    request.session[PENDING] = {"user": user.pk, "stamp": stamp, "methods": methods, "way": way, "at": time.time()}
    return redirect(step)
