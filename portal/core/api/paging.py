"""Marker paging: a page begins after the row that the last one ended with."""

from typing import Any, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, QueryDict

from portal.core.errors import BadRequest

M = TypeVar("M", bound=Model)


def limit_of(params: QueryDict, maximum: int) -> int:
    """Return how many rows the caller wants, at most ``maximum``; raises BadRequest."""
    text = params.get("limit")
    if text is None:
        return maximum
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise BadRequest(f"Invalid input for query parameters limit. Value: {text[:50]}. It must be a non-negative integer.")
    return min(int(text), maximum)


def after_marker(rows: QuerySet[M], marker: M | None, order: list[tuple[str, bool]]) -> QuerySet[M]:
    """Return the rows that follow ``marker`` in ``order``, a list of (field, descending) that ends with a unique field."""
    rows = rows.order_by(*(f"-{name}" if descending else name for name, descending in order))
    if marker is None:
        return rows
    later = Q()
    equal = Q()
    for name, descending in order:
        value = getattr(marker, name)
        later |= equal & Q(**{f"{name}__lt" if descending else f"{name}__gt": value})
        equal &= Q(**{name: value})
    first, descending = order[0]
    begin = Q(**{f"{first}__lte" if descending else f"{first}__gte": getattr(marker, first)})  # said once more, for an index
    return rows.filter(begin, later)


def next_link(request: HttpRequest, marker: Any, path: str | None = None, **changes: str | None) -> str:
    """Return the address of the next page: the request's own query with the new marker and these changes, None to leave a word out."""
    params = request.GET.copy()
    params["marker"] = str(marker)
    for name, value in changes.items():
        params.setlist(name, [] if value is None else [value])
    return f"{request.build_absolute_uri(path or request.path)}?{urlencode(list(params.lists()), doseq=True)}"
