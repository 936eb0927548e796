"""Order and pages of an image list: several keys, each up or down, and a marker.

Columns that may be empty are compared through a stand-in, so that a marker works where databases sort nothing differently.
"""

from collections.abc import Callable

from django.db.models import QuerySet, Value
from django.db.models.functions import Coalesce
from django.http import QueryDict

from images.models import Image
from images.models.image import ImageQuerySet
from images.models.listed import ListedImage, listed
from portal.core.api import paging
from portal.core.errors import BadRequest

DEFAULT_LIMIT = 25
MAX_LIMIT = 1000
KEYS = ("name", "status", "container_format", "disk_format", "size", "id", "created_at", "updated_at")
_EMPTY = {"name": "", "container_format": "", "disk_format": "", "size": 0}

Order = list[tuple[str, bool]]


def order_of(params: QueryDict) -> Order:
    """Return (key, descending) pairs that end with a unique key; raises BadRequest."""
    if "sort" in params:
        if "sort_key" in params or "sort_dir" in params:
            raise BadRequest("Old and new sorting syntax cannot be combined")
        asked = [_pair(*entry.strip().partition(":")[::2]) for entry in params.get("sort", "").split(",")]
    else:
        asked = _older(params.getlist("sort_key"), params.getlist("sort_dir"))
    if len(asked) > len(KEYS):
        raise BadRequest("Too many sort keys.")
    descending = asked[0][1]
    named = {key for key, _down in asked}
    return asked + [(key, descending) for key in ("created_at", "id") if key not in named]


def page(rows: ImageQuerySet, params: QueryDict, visible: Callable[[], ImageQuerySet]) -> tuple[list[ListedImage], bool]:
    """Return the images of the page that is asked for, and whether more follow; the marker is one of ``visible``."""
    asked = order_of(params)
    stands_in = {f"sort_{key}": (key, _EMPTY[key]) for key, _down in asked if key in _EMPTY}
    order = [(f"sort_{key}" if key in _EMPTY else key, down) for key, down in asked]
    rows = rows.annotate(**{name: Coalesce(key, Value(empty)) for name, (key, empty) in stands_in.items()})
    limit = paging.limit_of(params, MAX_LIMIT) if "limit" in params else DEFAULT_LIMIT
    marker = _marker(str(params["marker"]), visible()) if "marker" in params else None
    if asked[0][0] == "created_at":
        found = listed(paging.after_marker(rows.with_details(), marker, order)[: limit + 1])
    else:
        found = _sorted(paging.after_marker(rows, marker, order)[: limit + 1])
    return found[:limit], limit > 0 and len(found) > limit


def _sorted(rows: QuerySet[Image]) -> list[ListedImage]:
    """Return the rows where no index has their order: ids alone go through the sorting, not all that is shown of every image."""
    ids = list(rows.values_list("pk", flat=True))
    found = {row.id: row for row in listed(Image.objects.with_details().filter(pk__in=ids).order_by())}
    return [found[image_id] for image_id in ids if image_id in found]


def _marker(image_id: str, visible: ImageQuerySet) -> Image:
    found = visible.filter(pk=image_id).first()
    if found is None:
        raise BadRequest(f"Marker {image_id[:64]} could not be found.")
    for key, empty in _EMPTY.items():
        value = getattr(found, key)
        setattr(found, f"sort_{key}", empty if value is None else value)
    return found


def _older(keys: list[str], directions: list[str]) -> Order:
    keys = keys or ["created_at"]
    if len(directions) not in (0, 1, len(keys)):
        raise BadRequest("Number of sort dirs does not match the number of sort keys")
    if len(directions) < 2:
        directions = (directions or ["desc"]) * len(keys)
    return [_pair(key, direction) for key, direction in zip(keys, directions, strict=True)]


def _pair(key: str, direction: str) -> tuple[str, bool]:
    if key not in KEYS:
        raise BadRequest(f"Invalid sort key {key[:64]!r}: it must be one of {', '.join(KEYS)}.")
    if direction not in ("asc", "desc", ""):
        raise BadRequest(f"Invalid sort direction {direction[:64]!r}: it must be asc or desc.")
    return key, direction != "asc"
