"""Sign in."""

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.dashboard.kit.forms import CloudForm


class SignInForm(CloudForm):
    """Name and password; the domain is the default one unless an address says otherwise."""

    name = forms.CharField(
        label=_("Name"), max_length=255, widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"})
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=1024,
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
    domain = forms.CharField(max_length=255, required=False, initial="Default", widget=forms.HiddenInput)
