"""The query of an image list, read into conditions.

Follows the Image API reference, "List images" and "Time comparison filters" and "in operator". A parameter that is no attribute asks
for images with a property of that name and value.
"""

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.http import QueryDict
from django.utils.dateparse import parse_datetime

from images.models.image import ImageQuerySet
from images.states import MemberStatus, Visibility
from portal.core.errors import BadRequest

PAGING = frozenset({"limit", "marker", "sort", "sort_key", "sort_dir"})
SCOPE = frozenset({"visibility", "member_status"})
MAX_SIZE = 2**63 - 1
MAX_PROPERTIES = 16
_SECOND = timedelta(seconds=1)
_LATEST = datetime(9999, 12, 31, tzinfo=UTC)
_EXACT_OR_IN = frozenset({"id", "name", "status", "disk_format", "container_format"})
_EXACT = frozenset({"owner", "checksum", "os_hash_algo", "os_hash_value"})
_NUMBERS = {
    "size_min": "size__gte", "size_max": "size__lte", "min_ram": "min_ram", "min_disk": "min_disk", "size": "size",
    "virtual_size": "virtual_size",
}  # fmt: skip
_COMPARE = {"gt": "__gt", "gte": "__gte", "lt": "__lt", "lte": "__lte", "eq": "", "neq": "!"}


def visibility_of(params: QueryDict) -> str | None:
    """Return which visibility is asked for, None for the usual list."""
    return _word(params, "visibility", [*Visibility, "all"], None)


def member_status_of(params: QueryDict) -> str:
    """Return which shares count; the usual list holds the accepted ones."""
    return _word(params, "member_status", [*MemberStatus, "all"], MemberStatus.ACCEPTED) or MemberStatus.ACCEPTED


def apply(rows: ImageQuerySet, params: QueryDict) -> ImageQuerySet:
    """Return the rows that all parameters of a list request let through; raises BadRequest."""
    rows = rows.filter(os_hidden=_flag("os_hidden", params.get("os_hidden", "false")))
    names = [name for name in params if name not in PAGING | SCOPE | {"os_hidden"}]
    if sum(name not in _READERS for name in names) > MAX_PROPERTIES:
        raise BadRequest(f"At most {MAX_PROPERTIES} properties can be asked for at once.")
    for name in names:
        for value in params.getlist(name):
            if "\x00" in name + value:
                raise BadRequest("A null character is not allowed.")
            reader = _READERS.get(name)
            rows = rows.filter(reader(name, value)) if reader else rows.filter(properties__name=name, properties__value=value)
    return rows


def _word(params: QueryDict, name: str, words: list[str], default: str | None) -> str | None:
    value = params.get(name)
    if value is None:
        return default
    if value not in words:
        raise BadRequest(f"Invalid value for {name}: it must be one of {', '.join(words)}.")
    return value


def _flag(name: str, value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise BadRequest(f"Invalid value for {name}: it must be true or false.")
    return value.lower() == "true"


def _exact_or_in(name: str, value: str) -> Q:
    if not value.startswith("in:"):
        return Q(**{name: value})
    try:
        listed = next(csv.reader([value[3:]], strict=True), [])
    except csv.Error as error:
        raise BadRequest(f"Invalid list of values for {name}.") from error
    if not listed or len(listed) > 200:
        raise BadRequest(f"The list of values for {name} must have 1 to 200 of them.")
    return Q(**{f"{name}__in": listed})


def _number(name: str, value: str) -> Q:
    if not value.isascii() or not value.isdigit() or len(value) > 19 or int(value) > MAX_SIZE:
        raise BadRequest(f"Invalid value for {name}: it must be a non-negative integer.")
    return Q(**{_NUMBERS[name]: int(value)})


def _time(name: str, value: str) -> Q:
    operator, colon, text = value.partition(":")
    if not colon or operator not in _COMPARE:
        operator, text = "eq", value
    when = _moment(name, text)
    if operator in ("eq", "neq"):  # rows have fractions of a second, the API's times have none
        within = Q(**{f"{name}__gte": when, f"{name}__lt": when.replace(microsecond=0) + _SECOND})
        return within if operator == "eq" else ~within
    if operator in ("gt", "lte"):
        when = when + _SECOND
        return Q(**{f"{name}__gte" if operator == "gt" else f"{name}__lt": when})
    return Q(**{f"{name}{_COMPARE[operator]}": when})


def _moment(name: str, text: str) -> datetime:
    try:
        when = parse_datetime(text.replace(" ", "+"))
        if when is not None:
            when = when.replace(microsecond=0, tzinfo=when.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        when = None
    if when is None:
        raise BadRequest(f"Invalid time for {name}: it must be written like 2026-01-31T17:05:45Z.")
    return min(when, _LATEST)


_READERS: dict[str, Callable[[str, str], Any]] = {
    **dict.fromkeys(_EXACT_OR_IN, _exact_or_in),
    **dict.fromkeys(_EXACT, lambda name, value: Q(**{name: value})),
    **dict.fromkeys(_NUMBERS, _number),
    **dict.fromkeys(("created_at", "updated_at"), _time),
    "protected": lambda name, value: Q(protected=_flag(name, value)),
    "tag": lambda _name, value: Q(tags__name=value),
}
