"""The launch form."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compute.network.selectors import networks_visible
from compute.selectors import list_flavors, list_keypairs
from images.selectors import images_visible
from portal.core.context import RequestContext
from portal.dashboard.instances.launch import MOST_AT_ONCE, sizes
from portal.dashboard.kit.forms import CloudForm


class LaunchForm(CloudForm):
    """Name, image and size; the rest has a default that is written out."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=255, widget=forms.TextInput(attrs={"autofocus": True, "placeholder": "web-01"})
    )
    count = forms.IntegerField(label=gettext_lazy("Count"), min_value=1, max_value=MOST_AT_ONCE, initial=1)
    image = forms.ChoiceField(label=gettext_lazy("Image"))
    flavor = forms.ChoiceField(label=gettext_lazy("Size"), widget=forms.RadioSelect)
    key_name = forms.ChoiceField(label=gettext_lazy("Key"), required=False)
    network = forms.ChoiceField(label=gettext_lazy("Network"), required=False)
    user_data = forms.CharField(
        label=gettext_lazy("Start script"),
        required=False,
        strip=False,
        max_length=48_000,
        help_text=gettext_lazy("A shell script that starts with #!, or a cloud-init document. It runs at the first start."),
        widget=forms.Textarea(attrs={"rows": 8, "class": "nb-mono", "placeholder": "#!/bin/sh"}),
    )

    def __init__(self, ctx: RequestContext, *args: Any, **kwargs: Any) -> None:
        self.ctx = ctx
        super().__init__(*args, **kwargs)
        self.images = [image for image in images_visible(ctx).order_by("name") if image.boots]
        self.flavors = list(list_flavors(ctx))
        self.networks = list(networks_visible(ctx))
        self.keys = list(list_keypairs(ctx))
        self.offer("image", [(str(image.pk), image.name or str(image.pk)) for image in self.images])
        self.offer("flavor", [(flavor.flavor_id, flavor.name) for flavor in self.flavors])
        self.offer("network", [(str(item.pk), self.network_label(item)) for item in self.networks])
        self.offer("key_name", [("", _("No key")), *((key.name, key.name) for key in self.keys)])
        self.propose()

    def propose(self) -> None:
        """Fill in the defaults that depend on what there is: one of a kind is chosen."""
        if self.images:
            self.initial.setdefault("image", str(self.images[0].pk))
        self.sizes = sizes(self.ctx, self.chosen_image())
        fitting = [size.flavor for size in self.sizes if not size.reason] or self.flavors
        if fitting:
            self.initial.setdefault("flavor", fitting[0].flavor_id)
        if self.networks:
            self.initial.setdefault("network", str(self.networks[0].pk))
        if self.keys:
            self.initial.setdefault("key_name", self.keys[0].name)

    @staticmethod
    def network_label(network: Any) -> str:
        ranges = ", ".join(subnet.cidr for subnet in network.subnets.all())
        return f"{network} ({ranges})" if ranges else str(network)

    def value(self, name: str) -> str:
        """Return what stands in a field now, valid or not."""
        return str(self[name].value() or "")

    def chosen_image(self) -> Any | None:
        return next((image for image in self.images if str(image.pk) == self.value("image")), None)

    def chosen_flavor(self) -> Any | None:
        return next((flavor for flavor in self.flavors if flavor.flavor_id == self.value("flavor")), None)

    def values(self) -> dict[str, Any]:
        """Return the whole form as it stands, with a count that can be used."""
        count = self.value("count")
        wanted = int(count) if count.isascii() and count.isdigit() and len(count) < 4 else 1
        return {
            "name": self.value("name").strip(),
            "count": max(1, min(MOST_AT_ONCE, wanted)),
            "network": self.value("network"),
            "key_name": self.value("key_name"),
            "user_data": self.value("user_data"),
        }
