"""Middleware that pages need and the APIs do without: an API knows no cookies, and nobody reads its answers in a browser."""

from csp.middleware import CSPMiddleware
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

from portal.core.requests import is_api


class _PagesOnly:
    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_api(request.path_info):
            return self.get_response(request)  # type: ignore[attr-defined,no-any-return]
        return super().__call__(request)  # type: ignore[misc,no-any-return]


class ContentPolicy(_PagesOnly, CSPMiddleware):
    """What a page may load."""


class Session(_PagesOnly, SessionMiddleware):
    """The cookie of somebody who signed in."""


class Language(LocaleMiddleware):
    """The reader's language on pages; APIs speak English, whoever was answered before."""

    def process_request(self, request: HttpRequest) -> None:
        if is_api(request.path_info):
            translation.activate("en")
        else:
            super().process_request(request)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        return response if is_api(request.path_info) else super().process_response(request, response)


class Forgery(_PagesOnly, CsrfViewMiddleware):
    """Forms come from our own pages."""


class SignedIn(_PagesOnly, AuthenticationMiddleware):
    """The user behind the session."""


class Messages(_PagesOnly, MessageMiddleware):
    """What is told once on the next page."""


class Frames(_PagesOnly, XFrameOptionsMiddleware):
    """Nobody puts a page into a frame."""
