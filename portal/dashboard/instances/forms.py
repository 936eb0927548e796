"""The launch form."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compute.network.models.security_group import DEFAULT_GROUP
from compute.selectors import list_flavors, list_keypairs
from compute.services import snapshots
from images.selectors import images_visible
from portal.core.context import RequestContext
from portal.dashboard.instances.launch import MOST_AT_ONCE, sizes
from portal.dashboard.kit.forms import CloudForm, SeveralField
from portal.dashboard.networks.choices import attachable, label_of
from portal.dashboard.security_groups.choices import groups_of


class LaunchForm(CloudForm):
    """Name, image and size; the rest has a default that is written out."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=255, widget=forms.TextInput(attrs={"autofocus": True, "placeholder": "web-01"})
    )
    count = forms.IntegerField(label=gettext_lazy("Count"), min_value=1, max_value=MOST_AT_ONCE, initial=1)
    image = forms.ChoiceField(label=gettext_lazy("Image"))
    flavor = forms.ChoiceField(label=gettext_lazy("Size"), widget=forms.RadioSelect)
    key_name = forms.ChoiceField(label=gettext_lazy("Key"), required=False)
    network = SeveralField(label=gettext_lazy("Networks"), required=False)
    security_group = SeveralField(
        label=gettext_lazy("Security groups"),
        required=False,
        help_text=gettext_lazy("What they let in reaches the instance, and nothing else. Without a choice it is default."),
    )
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
        self.images = [image for image in images_visible(ctx).with_details().order_by("name") if image.boots]
        self.flavors = list(list_flavors(ctx))
        self.networks = attachable(ctx, ctx.project_id or "")
        self.groups = groups_of(ctx, ctx.project_id or "")
        self.keys = list(list_keypairs(ctx))
        self.offer("image", [(str(image.pk), image.name or str(image.pk)) for image in self.images])
        self.offer("flavor", [(flavor.flavor_id, flavor.name) for flavor in self.flavors])
        self.offer("network", [(str(item.pk), label_of(item)) for item in self.networks])
        self.fields["network"].required = len(self.networks) > 1
        self.offer("security_group", [(group.pk, group.name) for group in self.groups])
        self.offer("key_name", [("", _("No key")), *((key.name, key.name) for key in self.keys)])
        self.propose()

    def propose(self) -> None:
        """Fill in the defaults that depend on what there is: one of a kind is chosen."""
        if self.images:
            first = next((image for image in self.images if not snapshots.is_copy(image)), self.images[0])
            self.initial.setdefault("image", str(first.pk))
        self.sizes = sizes(self.ctx, self.chosen_image())
        fitting = [size.flavor for size in self.sizes if not size.reason] or self.flavors
        if fitting:
            self.initial.setdefault("flavor", fitting[0].flavor_id)
        if self.networks:
            self.initial.setdefault("network", [str(self.networks[0].pk)])
        self.initial.setdefault("security_group", [group.pk for group in self.groups if group.name == DEFAULT_GROUP])
        if self.keys:
            self.initial.setdefault("key_name", self.keys[0].name)

    def value(self, name: str) -> str:
        """Return what stands in a field now, valid or not."""
        return str(self[name].value() or "")

    def chosen(self, name: str) -> list[str]:
        """Return what is chosen now in a field of several, as far as it is on offer."""
        known = dict(self.fields[name].choices)  # type: ignore[attr-defined]
        return [value for value in self[name].value() or [] if value in known]

    def chosen_names(self) -> str:
        """Return the networks and security groups that are chosen, for the line above them."""
        names = [str(one) for one in self.networks if one.pk in self.chosen("network")]
        return " · ".join(names + [group.name for group in self.groups if group.pk in self.chosen("security_group")])

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
            "networks": self.chosen("network"),
            "groups": [group.name for group in self.groups if group.pk in self.chosen("security_group")],
            "key_name": self.value("key_name"),
            "user_data": self.value("user_data"),
        }
