"""What a person chooses for the session: project, language, theme."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.urls import Resolver404, resolve
from django.views import View

from accounts.selectors import projects_of
from portal.core.errors import NotFound
from portal.dashboard.account.ways import way_back
from portal.dashboard.kit.context import LANGUAGES, THEME_COOKIE, THEMES
from portal.dashboard.kit.pages import PageResponse, PageView, wrong_method

YEAR_S = 365 * 24 * 3600


class DeedView(View):
    """POST only; whoever opens the address by hand is told so."""

    http_method_names = ["post"]

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return wrong_method(request, self._allowed_methods())  # type: ignore[attr-defined]  # the stubs leave it out


class ProjectView(PageView):
    """POST switches the project of the session and stays on the same kind of page."""

    http_method_names = ["post"]
    needs_project = False

    def post(self, request: HttpRequest) -> PageResponse:
        wanted = request.POST.get("project", "")
        if wanted not in {project.id for project in projects_of(request.user)}:
            raise NotFound("Project", wanted)
        request.session["project_id"] = wanted
        return redirect(self.same_kind(request))

    def same_kind(self, request: HttpRequest) -> str:
        """An object's page belongs to its project, so the list of its kind is shown instead."""
        back = way_back(request)
        try:
            match = resolve(back.partition("?")[0])
        except Resolver404:
            return "/"
        return back if not match.kwargs else f"/{match.namespace if match.namespace != 'console' else 'instances'}/"


class LanguageView(DeedView):
    """POST remembers the language in a cookie, also for who is not signed in."""

    def post(self, request: HttpRequest) -> HttpResponse:
        answer = redirect(way_back(request))
        wanted = request.POST.get("language", "")
        if wanted in dict(LANGUAGES):
            answer.set_cookie(settings.LANGUAGE_COOKIE_NAME, wanted, max_age=YEAR_S, samesite="Lax", httponly=True)
        return answer


class ThemeView(DeedView):
    """POST remembers the theme in a cookie, so that the first paint is right."""

    def post(self, request: HttpRequest) -> HttpResponse:
        answer = redirect(way_back(request))
        wanted = request.POST.get("theme", "")
        if wanted in THEMES:
            answer.set_cookie(THEME_COOKIE, wanted, max_age=YEAR_S, samesite="Lax", httponly=True)
        return answer


class CsrfView(PageView):
    """A fresh CSRF token for a page that was open while its user signed in again in another tab."""

    needs_project = False

    def get(self, request: HttpRequest) -> PageResponse:
        return JsonResponse({"token": get_token(request)})
