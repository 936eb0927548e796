"""The kinds of objects that people share on pages, and how each is found, called and addressed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from compute.models import Server
from compute.selectors import get_server
from images.models import Image
from images.selectors import get_image
from portal.core.context import RequestContext


@dataclass(frozen=True)
class SharedKind:
    """``find`` raises NotFound for what the caller may not see; ``page`` names the detail page."""

    name: str
    label: str | Promise
    model: type[Model]
    find: Callable[[RequestContext, str], Any]
    owner: Callable[[Any], str]
    page: str
    page_args: tuple[str, ...] = ()

    def url(self, pk: str) -> str:
        """Return the address where an object's shares are shown."""
        return reverse(self.page, args=[pk, *self.page_args])


KINDS = {
    kind.name: kind
    for kind in (
        SharedKind(
            "instance", _("Instance"), Server, get_server, lambda row: str(row.project_id), "instances:tab", ("access",)
        ),
        SharedKind("image", _("Image"), Image, get_image, lambda row: str(row.owner), "images:detail"),
    )
}


def kind_of(model: type[Model] | None) -> SharedKind | None:
    """Return the kind of a table's objects, None when pages do not share them."""
    return next((kind for kind in KINDS.values() if kind.model is model), None)
