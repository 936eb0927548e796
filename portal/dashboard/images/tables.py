"""The list of images."""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from images.selectors import images_visible
from portal.dashboard.images.actions import ACTIONS
from portal.dashboard.kit.tables import Column, LiveTable


class ImageTable(LiveTable):
    name = "images"
    columns = (
        Column("name", _("Name"), ("name",)),
        Column("status", _("Status"), ("status",)),
        Column("visibility", _("Visible to"), ("visibility",), css="nb-wide-only"),
        Column("format", _("Format"), ("disk_format",), css="nb-wide-only"),
        Column("size", _("Size"), ("size",), css="nb-wide-only nb-num"),
        Column("needs", _("Needs at least"), css="nb-wide-only"),
        Column("created", _("Age"), ("created_at",), css="nb-wide-only"),
        Column("actions", _("Actions"), hidden_label=True),
    )
    row_template = "images/row.html"
    actions = ACTIONS
    default_sort = "-created"
    words = {
        "status": lambda text: Q(status__iexact=text),
        "visibility": lambda text: Q(visibility__iexact=text),
        "name": lambda text: Q(name__icontains=text),
        "format": lambda text: Q(disk_format__iexact=text),
    }

    def all(self) -> QuerySet[Any]:
        return images_visible(self.ctx).filter(os_hidden=False)

    def plain(self, text: str) -> Q:
        return Q(name__icontains=text) | Q(pk__startswith=text.lower())
