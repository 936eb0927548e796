"""The form of a new image."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from images.states import Visibility
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
    """Name, file and format; the rest folds out."""

    name = forms.CharField(label=_("Name"), max_length=255, widget=forms.TextInput(attrs={"placeholder": "debian-12"}))
    disk_format = forms.ChoiceField(label=_("Format"), choices=FORMATS, initial="qcow2")
    visibility = forms.ChoiceField(label=_("Visible to"), initial=Visibility.PRIVATE)
    min_disk = forms.IntegerField(label=_("Smallest disk (GB)"), min_value=0, max_value=1 << 20, initial=0)
    min_ram = forms.IntegerField(label=_("Smallest memory (MB)"), min_value=0, max_value=1 << 24, initial=0)

    def __init__(self, *args: Any, may_publish: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [key for key in VISIBILITY if may_publish or key != Visibility.PUBLIC]
        self.offer("visibility", [(key, VISIBILITY[key]) for key in offered])
