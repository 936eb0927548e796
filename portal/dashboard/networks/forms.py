"""Making a network."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from compute.network import policies
from compute.network.models import Network
from compute.network.models.network import LOCAL, NAT
from portal.core.context import RequestContext
from portal.core.policy import allowed
from portal.dashboard.kit.forms import CloudForm

_RULES = {"way": "create_network:provider:network_type", "shared": "create_network:shared"}


class NetworkForm(CloudForm):
    """Name and range; what needs a rule of its own is asked of those whom the rule lets choose."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=255, widget=forms.TextInput(attrs={"autofocus": True, "placeholder": "backend"})
    )
    cidr = forms.CharField(
        label=gettext_lazy("Range"),
        max_length=64,
        help_text=gettext_lazy(
            "The addresses of the network, such as 192.168.50.0/24. No two networks of the cloud share any."
        ),
        widget=forms.TextInput(attrs={"class": "nb-mono", "placeholder": "192.168.50.0/24"}),
    )
    way = forms.ChoiceField(
        label=gettext_lazy("Instances reach"),
        choices=[
            (LOCAL, gettext_lazy("the host and each other")),
            (NAT, gettext_lazy("the host, and through it the world")),
        ],
    )
    shared = forms.BooleanField(label=gettext_lazy("For every project"), required=False)

    def __init__(self, ctx: RequestContext, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = Network(project_id=ctx.project_id or "")
        for name, rule in _RULES.items():
            if not allowed(ctx, policies.ATTRIBUTE_RULES[rule], mine):
                del self.fields[name]

    def values(self) -> dict[str, Any]:
        """Return the network as the service wants it, without its range."""
        given = self.cleaned_data
        values: dict[str, Any] = {"name": given["name"]}
        if given.get("way") == NAT:
            values["provider:network_type"] = NAT
        if given.get("shared"):
            values["shared"] = True
        return values
