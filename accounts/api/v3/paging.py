"""Pages of identity's lists: ``limit``, ``marker``, ``sort_key`` and ``sort_dir`` (Identity v3, "Pagination")."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from portal.core.api.paging import after_marker, limit_of, next_link
from portal.core.errors import BadRequest

MOST = 1 << 31
SORTABLE = ("name", "id", "type", "domain_id", "enabled", "created_at", "resource_name")


def page(rows: QuerySet[Any], request: HttpRequest) -> tuple[list[Any], str | None]:
    """Return the rows of the page that is asked for, all of them where none is, and the address of the next one."""
    params = request.GET
    if not {"limit", "marker", "sort_key", "sort_dir"} & params.keys():
        return list(rows), None
    limit, order = limit_of(params, MOST), _order(rows, params.get("sort_key"), params.get("sort_dir", "asc"))
    marker = None
    if params.get("marker"):
        marker = rows.filter(pk=params["marker"]).first()
        if marker is None:
            raise BadRequest(f"Marker {params['marker']} could not be found.")
    found = list(after_marker(rows, marker, order)[: limit + 1])
    return found[:limit], next_link(request, found[limit - 1].pk) if 0 < limit < len(found) else None


def _order(rows: QuerySet[Any], key: str | None, direction: str) -> list[tuple[str, bool]]:
    fields = {field.attname: field for field in rows.model._meta.concrete_fields}
    if direction not in ("asc", "desc"):
        raise BadRequest(f"Unknown sort direction {direction[:50]!r}, must be asc or desc.")
    if key is not None and (key not in SORTABLE or key not in fields):
        raise BadRequest(f"Sort key {key[:50]!r} is not one of {', '.join(name for name in SORTABLE if name in fields)}.")
    descending = direction == "desc"
    first = key or ("name" if "name" in fields else "id")
    return [(first, descending)] + ([("id", descending)] if first != "id" else [])
