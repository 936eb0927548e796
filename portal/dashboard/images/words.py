"""What an image's status and visibility are called on pages."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from compute.models import HostImage
from compute.states import CacheState
from images.models import Image
from images.states import ImageStatus, Visibility
from portal.dashboard.kit.words import Status

_STATUS: dict[str, tuple[str | Promise, str, str]] = {
    ImageStatus.QUEUED: (_("Waiting for data"), "clock", "warn"),
    ImageStatus.SAVING: (_("Uploading"), "loader-2", "busy"),
    ImageStatus.UPLOADING: (_("Waiting for its import"), "clock", "warn"),
    ImageStatus.IMPORTING: (_("Importing"), "loader-2", "busy"),
    ImageStatus.ACTIVE: (_("Ready"), "circle-check", "good"),
    ImageStatus.DEACTIVATED: (_("Locked"), "ban", "off"),
    ImageStatus.DELETED: (_("Deleted"), "trash", "off"),
}
_CACHE: dict[str, tuple[str | Promise, str, str]] = {
    CacheState.QUEUED: (_("Asked for"), "clock", "busy"),
    CacheState.CACHED: (_("There"), "circle-check", "good"),
    CacheState.LEAVING: (_("Being removed"), "loader-2", "busy"),
    CacheState.FAILED: (_("Not fetched"), "alert-triangle", "bad"),
}
VISIBILITY: dict[str, str | Promise] = {
    Visibility.PRIVATE: _("This project"),
    Visibility.SHARED: _("This project and those it is shared with"),
    Visibility.COMMUNITY: _("Everybody who knows its id"),
    Visibility.PUBLIC: _("Everybody"),
}
VISIBILITY_SHORT: dict[str, str | Promise] = {
    Visibility.PRIVATE: _("private"),
    Visibility.SHARED: _("shared"),
    Visibility.COMMUNITY: _("community"),
    Visibility.PUBLIC: _("public"),
}


def status_of(image: Image) -> Status:
    """Return what to show for an image now."""
    known = _STATUS.get(image.status)
    return Status(str(known[0]), *known[1:]) if known else Status(image.status, "help-circle", "warn")


def cache_status_of(row: HostImage) -> Status:
    """Return how an image stands on one host."""
    word, shape, tone = _CACHE[row.state]
    return Status(str(word), shape, tone)
