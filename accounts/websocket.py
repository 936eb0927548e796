"""Puts the caller on each websocket: ``scope["cloud_context"]``, from the session cookie."""

from importlib import import_module
from types import SimpleNamespace
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib import auth
from django.http import parse_cookie

from accounts import contexts
from accounts.middleware import PROJECT_KEY
from portal.core.context import RequestContext


class SessionContextMiddleware:
    """Let consumers know who opened the socket; None for a stranger."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        cookie = _session_cookie(scope)
        ctx = await current_context(cookie)
        return await self.inner({**scope, "session_cookie": cookie, "cloud_context": ctx}, receive, send)


async def current_context(cookie: str | None) -> RequestContext | None:
    """Return who a session belongs to now; a consumer asks again when the right may have ended."""
    return await database_sync_to_async(context_of_session)(cookie) if cookie else None


def context_of_session(cookie: str) -> RequestContext | None:
    """Return the context of the user signed in with this session cookie, or None."""
    session = import_module(settings.SESSION_ENGINE).SessionStore(cookie)
    user = auth.get_user(SimpleNamespace(session=session))  # type: ignore[arg-type]
    if not user.is_authenticated:
        return None
    return contexts.context_in(user, session.get(PROJECT_KEY))  # type: ignore[arg-type]


def _session_cookie(scope: dict[str, Any]) -> str | None:
    for name, value in scope.get("headers", []):
        if name == b"cookie":
            found = parse_cookie(value.decode("latin1")).get(settings.SESSION_COOKIE_NAME)
            if found:
                return found
    return None
