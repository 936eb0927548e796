"""Signing in, step by step, and out."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts.models import User
from accounts.services import passwords, second_factor, sessions
from accounts.services.attempts import attempt
from portal.dashboard.account import steps
from portal.dashboard.account.forms import CodeForm, ForcedPasswordForm, SignInForm
from portal.dashboard.account.ways import way_back
from portal.dashboard.kit.forms import CloudForm
from portal.dashboard.kit.pages import wrong_method

secret_page = method_decorator(
    [never_cache, sensitive_post_parameters("password", "code", "new_password", "again")], name="dispatch"
)


@secret_page
class SignInView(View):
    """The sign-in page. An unknown name, a wrong password and an account that waits get the same words."""

    def get(self, request: HttpRequest) -> HttpResponse:
        if getattr(request, "ctx", None) is not None:
            return redirect(way_back(request))
        return self.show(request, SignInForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = SignInForm(request.POST)
        if not form.is_valid():
            return self.show(request, form, 401)
        given = form.cleaned_data
        tried = attempt(
            given["password"],
            address=request.META.get("REMOTE_ADDR", ""),
            code=given["code"],
            name=given["name"],
            domain_name=given["domain"] or "Default",
        )
        if tried.user is None:
            form.add_error(None, _("Name or password is wrong, or the account is disabled."))
            return self.show(request, form, 401, tried.wait_s)
        methods = ["password", "totp"] if tried.both else ["password"]
        return steps.go_on(request, tried.user, methods, way_back(request))

    def show(self, request: HttpRequest, form: SignInForm, status: int = 200, wait_s: int = 0) -> HttpResponse:
        facts = {"form": form, "next": way_back(request), "failed": status != 200, "wait": wait_words(wait_s)}
        return render(request, "account/sign_in.html", facts, status=status)


def wait_words(seconds: int) -> str:
    """Return how long the next try has to wait, empty when it need not."""
    if not seconds:
        return ""
    if seconds < 120:
        return ngettext("Try again in %(n)d second.", "Try again in %(n)d seconds.", seconds) % {"n": seconds}
    minutes = -(-seconds // 60)
    return ngettext("Try again in %(n)d minute.", "Try again in %(n)d minutes.", minutes) % {"n": minutes}


@secret_page
class StepView(View):
    """Base of the later steps: who has not passed the earlier ones begins anew."""

    form: type[CloudForm]
    template: str

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        found = steps.pending(request)
        if found is None:
            messages.info(request, _("That took too long. Sign in again."))
            return redirect("account:sign-in")
        self.user, self.methods, self.way = found
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(request, self.form())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self.form(request.POST)
        answer = self.passed(request, form) if form.is_valid() else None
        return answer or self.show(request, form, 400)

    def passed(self, request: HttpRequest, form: CloudForm) -> HttpResponse | None:
        """Return the next step, or None with the reason on the form."""
        raise NotImplementedError

    def show(self, request: HttpRequest, form: CloudForm, status: int = 200) -> HttpResponse:
        return render(request, self.template, {"form": form, "name": self.user.name}, status=status)


class CodeView(StepView):
    """The second factor: a code of the device, or a recovery code."""

    form, template = CodeForm, "account/code.html"

    def passed(self, request: HttpRequest, form: CloudForm) -> HttpResponse | None:
        if second_factor.verify(user=self.user, code=form.cleaned_data["code"]):
            return steps.go_on(request, self.user, [*self.methods, "totp"], self.way)
        form.add_error("code", _("This code is not right, or it was used before. After five wrong ones, wait 5 minutes."))
        return None


class NewPasswordView(StepView):
    """The password has expired, or was given by somebody else: choose another one to go on."""

    form, template = ForcedPasswordForm, "account/expired.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        found = steps.pending(request)
        if found is not None and steps.needs_code(found[0], found[1]):
            return redirect("account:code")
        return super().dispatch(request, *args, **kwargs)

    def passed(self, request: HttpRequest, form: CloudForm) -> HttpResponse | None:
        user: User = self.user
        if form.submit(lambda: passwords.choose(user=user, password=form.cleaned_data["new_password"]) or True) is None:
            return None
        return steps.enter(request, user, self.way)


class SignOutView(View):
    """POST ends the session. Whoever opens the address by hand is told so."""

    http_method_names = ["post"]

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return wrong_method(request, self._allowed_methods())  # type: ignore[attr-defined]  # the stubs leave it out

    def post(self, request: HttpRequest) -> HttpResponse:
        sessions.forget(request.session.session_key)
        logout(request)
        messages.info(request, _("You are signed out."))
        return redirect("account:sign-in")
