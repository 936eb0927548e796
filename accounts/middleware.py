"""Puts the caller on each request: ``request.ctx``, worked out when something first asks for it."""

from collections.abc import Callable
from functools import cached_property, lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts import workplaces
from accounts.services import sessions, tokens
from portal.core.context import RequestContext
from portal.core.errors import Unauthorized
from portal.core.requests import is_api

PROJECT_KEY = "project_id"


class ContextMiddleware:
    """Give requests a ``ctx``: from ``X-Auth-Token`` alone under the API's addresses, from the session elsewhere.

    An API never looks at the session, so no other site can make a browser speak to it. ``ctx`` is None for a stranger.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.__class__ = with_context(type(request))  # type: ignore[arg-type]
        if settings.SESSION_COOKIE_NAME in request.COOKIES and not is_api(request.path_info):
            sessions.seen(request.session)
        return self.get_response(request)


@lru_cache
def with_context(kind: type[HttpRequest]) -> type[HttpRequest]:
    """Return the class of request that also knows its caller."""
    return type(kind.__name__, (_Caller, kind), {})


class _Caller(HttpRequest):
    @cached_property
    def ctx(self) -> RequestContext | None:
        return token_context(self) if is_api(self.path_info) else session_context(self)


def token_context(request: HttpRequest) -> RequestContext | None:
    """Return the caller of an API, None without a good token."""
    token = request.headers.get("X-Auth-Token")
    if not token:
        return None
    try:
        return tokens.context_for_token(token, (request.method or "", request.path_info), **_request(request))
    except Unauthorized:
        return None


def session_context(request: HttpRequest) -> RequestContext | None:
    """Return who is signed in on the pages, in the project he chose; None when nobody is."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    ctx = workplaces.context_in(user, request.session.get(PROJECT_KEY), **_request(request))
    user.ctx = ctx
    return ctx


def _request(request: HttpRequest) -> dict[str, str | None]:
    found = {
        "global_request_id": getattr(request, "global_request_id", None),
        "remote_address": request.META.get("REMOTE_ADDR"),
    }
    request_id = getattr(request, "request_id", None)
    return {**found, "request_id": request_id} if request_id else found
