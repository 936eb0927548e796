"""Who may open a websocket, and who does: our own pages only, and ``scope["cloud_context"]`` from the session cookie."""

from importlib import import_module
from types import SimpleNamespace
from typing import Any

from channels.db import database_sync_to_async
from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.contrib import auth
from django.http import parse_cookie
from django.http.request import split_domain_port, validate_host

from accounts import workplaces
from accounts.middleware import PROJECT_KEY
from portal.core.context import RequestContext


class SameOrigin:
    """Let in only what a page of this very address opens. A cookie goes to every port of a host, so the port counts too.

    A browser always names the page's origin. Who names none is a program, which comes as a stranger: its cookies do not count.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        if not any(name == b"origin" for name, _value in scope.get("headers", [])):
            named = [(name, value) for name, value in scope.get("headers", []) if name != b"cookie"]
            return await self.inner({**scope, "headers": named}, receive, send)
        part = self.inner if is_same_origin(scope) else WebsocketDenier.as_asgi()
        return await part(scope, receive, send)


def is_same_origin(scope: dict[str, Any]) -> bool:
    """Whether the page that opens a websocket comes from the address that the websocket is opened at, or the public one."""
    headers = {name: value.decode("latin1").lower() for name, value in scope.get("headers", [])}
    origin, host = headers.get(b"origin", ""), headers.get(b"host", "")
    if origin == settings.PUBLIC_URL.lower():
        return True
    ours = validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)
    return ours and origin in (f"http://{host}", f"https://{host}")


class SessionContextMiddleware:
    """Let consumers know who opened the socket; None for a stranger."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        cookie = _session_cookie(scope)
        scope |= {"session_cookie": cookie, "cloud_context": await current_context(cookie)}
        return await self.inner(scope, receive, send)


async def current_context(cookie: str | None) -> RequestContext | None:
    """Return who a session belongs to now; a consumer asks again when the right may have ended."""
    return await database_sync_to_async(context_of_session)(cookie) if cookie else None


def context_of_session(cookie: str) -> RequestContext | None:
    """Return the context of the user signed in with this session cookie, or None."""
    session = import_module(settings.SESSION_ENGINE).SessionStore(cookie)
    user = auth.get_user(SimpleNamespace(session=session))  # type: ignore[arg-type]
    if not user.is_authenticated:
        return None
    return workplaces.context_in(user, session.get(PROJECT_KEY))  # type: ignore[arg-type]


def _session_cookie(scope: dict[str, Any]) -> str | None:
    for name, value in scope.get("headers", []):
        if name == b"cookie":
            found = parse_cookie(value.decode("latin1")).get(settings.SESSION_COOKIE_NAME)
            if found:
                return found
    return None
