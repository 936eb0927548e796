"""One's own account: password, second factor, sessions."""

from typing import Any

import segno
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services import passwords, second_factor, sessions
from accounts.services.attempts import attempt
from portal.core.errors import CloudError
from portal.dashboard.account.forms import CodeForm, DeviceForm, OwnPasswordForm, ProofForm
from portal.dashboard.account.sign_in import secret_page, wait_words
from portal.dashboard.kit.forms import CloudForm
from portal.dashboard.kit.pages import PageResponse, PageView, done, panel

SEED_S = 900
SALT = "second factor being set up"


class AccountView(PageView):
    """A page about the person, whatever project he works in."""

    needs_project = False

    @property
    def user(self) -> User:
        user = self.request.user
        assert isinstance(user, User)
        return user

    def knows_password(self, form: CloudForm) -> bool:
        """Whether the present password was typed; tries count like those of signing in."""
        user, address = self.user, self.request.META.get("REMOTE_ADDR", "")
        tried = attempt(form.cleaned_data["password"], address=address, user_id=user.pk)
        if tried.user is None:
            form.add_error("password", f"{_('This is not your password.')} {wait_words(tried.wait_s)}".strip())
        return tried.user is not None


class AccountPage(AccountView):
    def get(self, request: HttpRequest) -> PageResponse:
        found = sessions.of(self.user, request.session.session_key)
        facts = {
            "person": self.user,
            "locked": bool(self.user.options.get("lock_password")),
            "enrolled": second_factor.is_enrolled(self.user),
            "codes_left": self.user.recovery_codes.count(),
            "sessions": found,
            "others": any(not item.here for item in found),
        }
        return render(request, "account/page.html", facts)


class FormView(AccountView):
    """A form about the account, in the dialog or on a page of its own."""

    form: type[CloudForm]

    def get(self, request: HttpRequest) -> PageResponse:
        return self.show(request, self.form())

    def post(self, request: HttpRequest) -> PageResponse:
        form = self.form(request.POST)
        answer = self.passed(request, form) if form.is_valid() else None
        return answer or self.show(request, form, 400)

    def passed(self, request: HttpRequest, form: CloudForm) -> PageResponse | None:
        """Return the answer to a form that is right, or None with the reason on it."""
        raise NotImplementedError

    def facts(self) -> dict[str, Any]:
        """Return heading, words and button of the form."""
        raise NotImplementedError

    def show(self, request: HttpRequest, form: CloudForm, status: int = 200, **more: Any) -> HttpResponse:
        return panel(request, "account/form.html", {**self.facts(), "form": form, **more}, status)


@secret_page
class PasswordView(FormView):
    """Change the password. This session goes on under a new key; all others end."""

    form = OwnPasswordForm

    def facts(self) -> dict[str, Any]:
        return {
            "head": _("Change password"),
            "verb": _("Change password"),
            "words": _("Everywhere else you are signed out, and your tokens end."),
        }

    def passed(self, request: HttpRequest, form: CloudForm) -> PageResponse | None:
        if not self.knows_password(form):
            return None
        user, key = self.user, request.session.session_key
        wanted = form.cleaned_data["new_password"]
        if form.submit(lambda: passwords.choose(user=user, password=wanted, session_key=key) or True) is None:
            return None
        update_session_auth_hash(request, user)
        sessions.moved(old_key=key, new_key=str(request.session.session_key))
        return done(request, _("Your password is changed."), reverse("account:page"))


@secret_page
class FactorOnView(FormView):
    """Set up a second factor: the password first, then a code of the new device."""

    form = ProofForm

    def facts(self) -> dict[str, Any]:
        return {"head": _("Set up a second factor"), "verb": _("Go on"), "words": ""}

    def post(self, request: HttpRequest) -> PageResponse:
        return self.confirm(request, DeviceForm(request.POST)) if "seed" in request.POST else super().post(request)

    def passed(self, request: HttpRequest, form: CloudForm) -> PageResponse | None:
        if not self.knows_password(form):
            return None
        seed = second_factor.enrol(user=self.user).seed
        return self.ask(request, DeviceForm(initial={"seed": signing.dumps([self.user.pk, seed], salt=SALT)}), seed)

    def confirm(self, request: HttpRequest, form: DeviceForm) -> PageResponse:
        try:
            owner, seed = signing.loads(request.POST["seed"], salt=SALT, max_age=SEED_S)
        except signing.BadSignature:
            owner = None
        if owner != self.user.pk:
            messages.info(request, _("That took too long. Begin again."))
            return redirect("account:factor-on")
        codes = (
            form.submit(lambda: second_factor.confirm(user=self.user, seed=seed, code=code_in(form)))
            if form.is_valid()
            else None
        )
        if codes is None:
            return self.ask(request, form, seed, 400)
        return panel(request, "account/codes.html", {"codes": codes})

    def ask(self, request: HttpRequest, form: DeviceForm, seed: str, status: int = 200) -> HttpResponse:
        spelled = " ".join(seed[place : place + 4] for place in range(0, len(seed), 4))
        picture = qr_code(second_factor.uri_of(self.user, seed))
        return self.show(request, form, status, picture=picture, key=spelled, seed=seed, verb=_("Turn on"))


def code_in(form: CloudForm) -> str:
    """Return the code as it was meant: apps show it in groups."""
    return "".join(form.cleaned_data["code"].split())


def qr_code(text: str) -> SafeString:
    """Return a QR code as a drawing, dark on light in every theme, since cameras want it so."""
    svg = segno.make(text, error="m").svg_inline(scale=5, border=4, dark="#000", light="#fff", svgclass=None, lineclass=None)
    return mark_safe(svg)  # noqa: S308 - made of our own numbers


@secret_page
class FactorOffView(FormView):
    """Turn the second factor off, with a code of it: a session left open is not enough."""

    form = CodeForm

    def facts(self) -> dict[str, Any]:
        return {
            "head": _("Turn off the second factor"),
            "verb": _("Turn off"),
            "danger": True,
            "words": _("From then on your password alone lets you in."),
        }

    def passed(self, request: HttpRequest, form: CloudForm) -> PageResponse | None:
        if not self.proved(form):
            return None
        second_factor.disable(user=self.user)
        return done(request, _("The second factor is off."), reverse("account:page"))

    def proved(self, form: CloudForm) -> bool:
        """Whether the code is one of the user's."""
        if second_factor.verify(user=self.user, code=form.cleaned_data["code"]):
            return True
        form.add_error("code", _("This code is not right, or it was used before. After five wrong ones, wait 5 minutes."))
        return False


@secret_page
class RecoveryCodesView(FactorOffView):
    """New recovery codes; the old ones end."""

    def facts(self) -> dict[str, Any]:
        return {
            "head": _("New recovery codes"),
            "verb": _("Make new codes"),
            "words": _("The codes that you have now end."),
        }

    def passed(self, request: HttpRequest, form: CloudForm) -> PageResponse | None:
        if not self.proved(form):
            return None
        return panel(request, "account/codes.html", {"codes": second_factor.new_recovery_codes(user=self.user)})


class SessionEndView(AccountView):
    """POST signs out one session, or all but this one."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, handle: str = "") -> PageResponse:
        here = request.session.session_key
        try:
            if handle:
                sessions.end(user=self.user, handle=handle)
            else:
                sessions.end_all(user=self.user, but=here)
        except CloudError:
            return done(request, _("That session has ended already."), reverse("account:page"))
        return done(request, _("Signed out there."), reverse("account:page"))
