"""Order and pages of lists of metadata definitions: one key, up or down, and the name of the last row as marker.

Follows the Image API reference, "Metadata definition namespaces" and "Metadata definition tags".
"""

from collections.abc import Callable
from typing import TypeVar

from django.db.models import Q, QuerySet
from django.http import QueryDict

from images.models import MetadefAssociation, MetadefNamespace, MetadefObject, MetadefTag
from images.states import NamespaceVisibility
from portal.core.api import paging
from portal.core.errors import BadRequest

DEFAULT_LIMIT = 25
MAX_LIMIT = 1000
NAMESPACE_KEYS = ("namespace", "display_name", "visibility", "protected", "owner", "created_at", "updated_at", "id")
PART_KEYS = ("name", "created_at", "updated_at", "id")

Row = TypeVar("Row", MetadefNamespace, MetadefObject, MetadefTag)


def page(
    rows: QuerySet[Row], params: QueryDict, *, keys: tuple[str, ...], marked: Callable[[str], Row], limit: int | None = None
) -> tuple[list[Row], bool]:
    """Return the rows of the page that is asked for, and whether more follow.

    ``marked`` finds the row that a marker names; without a limit in the query there are ``limit`` rows, or all.
    """
    marker = params.get("marker")
    ordered = paging.after_marker(rows, marked(marker) if marker else None, _order(params, keys))
    if "limit" in params:
        limit = paging.limit_of(params, MAX_LIMIT)
    if limit is None:
        return list(ordered), False
    found = list(ordered[: limit + 1])
    return found[:limit], 0 < limit < len(found)


def wanted_namespaces(params: QueryDict) -> Q:
    """Return the condition of the filters of a list of namespaces; raises BadRequest."""
    wanted = Q()
    if visibility := params.get("visibility"):
        if visibility not in list(NamespaceVisibility):
            raise BadRequest(f"Invalid visibility value: {visibility[:64]}")
        wanted &= Q(visibility=visibility)
    if "resource_types" in params:
        names = params.get("resource_types", "").replace("\x00", "").split(",")
        meant = MetadefAssociation.objects.filter(resource_type__name__in=names)
        wanted &= Q(pk__in=meant.values("namespace_id"))
    return wanted


def _order(params: QueryDict, keys: tuple[str, ...]) -> list[tuple[str, bool]]:
    key, direction = params.get("sort_key", "created_at"), params.get("sort_dir", "desc")
    if key not in keys:
        raise BadRequest(f"Invalid sort key {key[:64]!r}: it must be one of {', '.join(keys)}.")
    if direction not in ("asc", "desc"):
        raise BadRequest(f"Invalid sort direction: {direction[:64]}")
    names = [key, *(name for name in ("created_at", "id") if name != key)]
    return [(name, direction == "desc") for name in names]
