"""Making and importing keys."""

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.dashboard.kit.forms import CloudForm


class NewKeyForm(CloudForm):
    name = forms.CharField(
        label=_("Name"), max_length=255, widget=forms.TextInput(attrs={"autofocus": True, "placeholder": "laptop"})
    )


class ImportKeyForm(NewKeyForm):
    public_key = forms.CharField(
        label=_("Public key"),
        max_length=16_384,
        help_text=_("One line, as in ~/.ssh/id_ed25519.pub."),
        widget=forms.Textarea(attrs={"rows": 5, "class": "nb-mono", "placeholder": "ssh-ed25519 AAAA…"}),
    )
