"""Signing in and out, and what a person chooses for the session: project, language, theme."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts.selectors import projects_of
from portal.core.errors import NotFound
from portal.dashboard.account.forms import SignInForm
from portal.dashboard.kit.context import LANGUAGES, THEME_COOKIE, THEMES
from portal.dashboard.kit.pages import PageResponse, PageView, wrong_method

YEAR_S = 365 * 24 * 3600


def way_back(request: HttpRequest) -> str:
    """Return the address to go on to: only one of this site, else the start page."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe else "/"


@method_decorator([never_cache, sensitive_post_parameters("password")], name="dispatch")
class SignInView(View):
    """The sign-in page. An unknown name and a wrong password get the same words."""

    def get(self, request: HttpRequest) -> HttpResponse:
        if getattr(request, "ctx", None) is not None:
            return redirect(way_back(request))
        return self.show(request, SignInForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = SignInForm(request.POST)
        if form.is_valid():
            given = form.cleaned_data
            user = authenticate(
                request, username=given["name"], password=given["password"], domain=given["domain"] or "Default"
            )
            if user is not None:
                login(request, user)
                return redirect(way_back(request))
            form.add_error(None, _("Name or password is wrong, or the account is disabled."))
        return self.show(request, form, 401 if form.errors else 200)

    def show(self, request: HttpRequest, form: SignInForm, status: int = 200) -> HttpResponse:
        return render(request, "account/sign_in.html", {"form": form, "next": way_back(request)}, status=status)


class DeedView(View):
    """POST only; whoever opens the address by hand is told so."""

    http_method_names = ["post"]

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return wrong_method(request, self._allowed_methods())  # type: ignore[attr-defined]  # the stubs leave it out


class SignOutView(DeedView):
    """POST ends the session."""

    def post(self, request: HttpRequest) -> HttpResponse:
        logout(request)
        messages.info(request, _("You are signed out."))
        return redirect("account:sign-in")


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
