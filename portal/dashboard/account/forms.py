"""What people type about themselves: passwords and codes."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from portal.dashboard.kit.forms import CloudForm

LONGEST = 4096


def password_field(label: Any, autocomplete: str, first: bool = False, **options: Any) -> forms.CharField:
    """Return a field for a password; the ``first`` of a form has the focus."""
    widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": autocomplete, "autofocus": first})
    return forms.CharField(label=label, max_length=LONGEST, strip=False, widget=widget, **options)


def code_field(**options: Any) -> forms.CharField:
    """Return a field for a code of the second factor."""
    attrs = {"autocomplete": "one-time-code", "autocapitalize": "none", "class": "nb-mono"}
    return forms.CharField(label=_("Code"), max_length=64, widget=forms.TextInput(attrs=attrs), **options)


class SignInForm(CloudForm):
    """Name and password; the domain is the default one unless an address says otherwise. The code is asked for after a failure."""

    name = forms.CharField(
        label=_("Name"),
        max_length=255,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=LONGEST,
        strip=False,
        widget=forms.PasswordInput(
            render_value=False,
            attrs={
                "autocomplete": "current-password",
                "x-bind:type": "type",
                "x-on:keyup": "look",
                "aria-describedby": "caps-hint",
            },
        ),
    )
    code = code_field(required=False, help_text=_("Only if you have a second factor: with it you need not wait."))
    domain = forms.CharField(max_length=255, required=False, initial="Default", widget=forms.HiddenInput)


class CodeForm(CloudForm):
    """A code of the device, or a recovery code."""

    code = code_field(help_text=_("Six digits from your app, or one of your recovery codes."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs["autofocus"] = True


class ForcedPasswordForm(CloudForm):
    """A new password, typed twice."""

    new_password = password_field(_("New password"), "new-password", first=True)
    again = password_field(_("New password again"), "new-password")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        least = settings.PASSWORD_MIN_LENGTH
        words = ngettext("At least %(n)d character.", "At least %(n)d characters.", least) % {"n": least}
        self.fields["new_password"].help_text = f"{words} {settings.PASSWORD_REGEX_WORDS}".strip()

    def clean_new_password(self) -> str:
        password: str = self.cleaned_data["new_password"]
        if len(password) < settings.PASSWORD_MIN_LENGTH:
            raise forms.ValidationError(_now("This is too short."))
        return password

    def clean_again(self) -> str:
        again: str = self.cleaned_data["again"]
        if again != self.cleaned_data.get("new_password"):
            raise forms.ValidationError(_now("The two differ."))
        return again


class OwnPasswordForm(ForcedPasswordForm):
    """The same, with the present password as the proof."""

    password = password_field(_("Present password"), "current-password", first=True)
    field_order = ("password", "new_password", "again")


class ProofForm(CloudForm):
    """The present password, before something that protects the account is changed."""

    password = password_field(_("Present password"), "current-password", first=True)


class DeviceForm(CodeForm):
    """The first code of a device that is being set up; ``seed`` is sealed by us."""

    code = code_field(help_text=_("Six digits from your app."))
    seed = forms.CharField(max_length=1024, widget=forms.HiddenInput)
    field_order = ("code", "seed")
