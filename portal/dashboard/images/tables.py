"""The list of images."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from images.selectors import images_visible
from images.services.imports import steering
from portal.dashboard.images.actions import actions_of
from portal.dashboard.images.progress import progress_of
from portal.dashboard.kit.actions import offers
from portal.dashboard.kit.tables import Column, LiveTable, Row


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
    default_sort = "-created"
    poll_s = 2
    words = {
        "status": lambda text: Q(status__iexact=text),
        "visibility": lambda text: Q(visibility__iexact=text),
        "name": lambda text: Q(name__icontains=text),
        "format": lambda text: Q(disk_format__iexact=text),
    }

    def all(self) -> QuerySet[Any]:
        return images_visible(self.ctx).filter(os_hidden=False).with_details()

    def dressed(self, objects: Iterable[Any], notes: dict[Any, str] | None = None) -> list[Row]:
        """Return rows with the buttons that mean something for each image now, and with how far its import is."""
        images = list(objects)
        steering.mark_latest(images)
        said = notes or {}
        return [
            Row(image, offers(self.ctx, image, actions_of(image)), said.get(image.pk, ""), progress_of(image))
            for image in images
        ]

    def plain(self, text: str) -> Q:
        return Q(name__icontains=text) | Q(pk__startswith=text.lower())
