"""The form of a new image."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from images.services.imports.requests import WEB, check_address
from images.states import Visibility
from portal.core.errors import BadRequest
from portal.dashboard.images.words import VISIBILITY
from portal.dashboard.kit.forms import CloudForm

FORMATS = [
    ("qcow2", _("qcow2 – QEMU's own, grows as needed")),
    ("raw", _("raw – a plain disk")),
    ("iso", _("iso – a CD")),
    ("vmdk", _("vmdk – VMware")),
    ("vhdx", _("vhdx – Hyper-V")),
    ("vdi", _("vdi – VirtualBox")),
]


class ImageForm(CloudForm):
    """Name, format, and where the data comes from: a file of the browser's, whose bytes go another way, or an address of the web."""

    name = forms.CharField(label=_("Name"), max_length=255, widget=forms.TextInput(attrs={"placeholder": "debian-12"}))
    disk_format = forms.ChoiceField(label=_("Format"), choices=FORMATS, initial="qcow2")
    file = forms.CharField(required=False)
    address = forms.CharField(
        label=_("Address of the web"),
        required=False,
        max_length=2048,
        help_text=_("The server fetches the data itself, and this page may be closed meanwhile."),
        widget=forms.TextInput(attrs={"placeholder": "https://example.org/debian-12.qcow2", "inputmode": "url"}),
    )
    visibility = forms.ChoiceField(label=_("Visible to"), initial=Visibility.PRIVATE)
    min_disk = forms.IntegerField(label=_("Smallest disk (GB)"), min_value=0, max_value=1 << 20, initial=0)
    min_ram = forms.IntegerField(label=_("Smallest memory (MB)"), min_value=0, max_value=1 << 24, initial=0)

    def __init__(self, *args: Any, may_publish: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if WEB not in settings.IMAGE_IMPORT_METHODS:
            del self.fields["address"]
        offered = [key for key in VISIBILITY if may_publish or key != Visibility.PUBLIC]
        self.offer("visibility", [(key, VISIBILITY[key]) for key in offered])

    def clean_address(self) -> str:
        address: str = self.cleaned_data["address"]
        if address:
            try:
                check_address(address)
            except BadRequest as error:
                raise forms.ValidationError(error.message) from error
        return address

    @property
    def record(self) -> dict[str, Any]:
        """What the image's record gets."""
        return {name: value for name, value in self.cleaned_data.items() if name not in ("file", "address")}
