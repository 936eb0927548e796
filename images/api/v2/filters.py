"""The query of an image list, read into conditions.

Follows the Image API reference, "List images" and "Time comparison filters" and "in operator". A parameter that is no attribute asks
for images with a property of that name and value.
"""

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db.models import Q
from django.http import QueryDict
from django.utils.dateparse import parse_datetime

from images.models import ImageProperty, ImageTag
from images.models.property import HEAD
from images.narrowing import Condition, equal, fits, related
from images.services.protections import is_hidden
from images.states import MemberStatus, Visibility
from portal.core.context import RequestContext
from portal.core.errors import BadRequest

PAGING = frozenset({"limit", "marker", "sort", "sort_key", "sort_dir"})
SCOPE = frozenset({"visibility", "member_status", "os_hidden"})
MAX_SIZE = 2**63 - 1
MAX_PROPERTIES = 16
MAX_CONDITIONS = 64
_SECOND = timedelta(seconds=1)
_LATEST = datetime(9999, 12, 31, tzinfo=UTC)
_EXACT_OR_IN = frozenset({"id", "name", "status", "disk_format", "container_format"})
_EXACT = frozenset({"owner", "checksum", "os_hash_algo", "os_hash_value"})
_NUMBERS = {
    "size_min": "size__gte", "size_max": "size__lte", "min_ram": "min_ram", "min_disk": "min_disk", "size": "size",
    "virtual_size": "virtual_size",
}  # fmt: skip
_COMPARE = frozenset({"gt", "gte", "lt", "lte", "eq", "neq"})


def visibility_of(params: QueryDict) -> str | None:
    """Return which visibility is asked for, None for the usual list."""
    return _word(params, "visibility", [*Visibility, "all"], None)


def member_status_of(params: QueryDict) -> str:
    """Return which shares count; the usual list holds the accepted ones."""
    return _word(params, "member_status", [*MemberStatus, "all"], MemberStatus.ACCEPTED) or MemberStatus.ACCEPTED


def conditions_of(params: QueryDict, ctx: RequestContext) -> list[Condition]:
    """Return the conditions that all parameters of a list request make, one for each value; raises BadRequest.

    A property that the caller may not see is found nowhere.
    """
    names = [name for name in params if name not in PAGING | SCOPE]
    if sum(len(params.getlist(name)) for name in names) > MAX_CONDITIONS:
        raise BadRequest(f"At most {MAX_CONDITIONS} filters can be asked for at once.")
    properties = [name for name in names if name not in _READERS]
    if len(properties) > MAX_PROPERTIES:
        raise BadRequest(f"At most {MAX_PROPERTIES} properties can be asked for at once.")
    if any(is_hidden(ctx, name) for name in properties):
        return [fits(Q(pk__in=[]))]
    return [_condition(name, value) for name in names for value in params.getlist(name)]


def shows_hidden(params: QueryDict) -> bool:
    """Return whether hidden images are asked for, instead of all others."""
    return _flag("os_hidden", params.get("os_hidden", "false"))


def _condition(name: str, value: str) -> Condition:
    if name == "changes-since":
        raise BadRequest('The filter "changes-since" is not available: use updated_at=gte:TIME.')
    return _READERS.get(name, _property)(name, value)


def _property(name: str, value: str) -> Condition:
    return related(ImageProperty.objects.filter(name=name, head=value[:HEAD], value=value))


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


def _exact_or_in(name: str, value: str) -> Condition:
    operator, colon, text = value.partition(":")
    if not colon or operator not in {"in", *_COMPARE}:
        return equal(**{name: value})
    if operator == "eq":
        return equal(**{name: text})
    if operator != "in":
        raise BadRequest(f"Unable to filter {name} by the operator {operator}.")
    try:
        listed = next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise BadRequest(f"Invalid list of values for {name}.") from error
    if not listed or len(listed) > 200:
        raise BadRequest(f"The list of values for {name} must have 1 to 200 of them.")
    return fits(Q(**{f"{name}__in": listed}))


def _number(name: str, value: str) -> Condition:
    if not value.isascii() or not value.isdigit() or len(value) > 19 or int(value) > MAX_SIZE:
        raise BadRequest(f"Invalid value for {name}: it must be a non-negative integer.")
    lookup = {_NUMBERS[name]: int(value)}
    return fits(Q(**lookup)) if "__" in _NUMBERS[name] else equal(**lookup)


def _created(name: str, value: str) -> Condition:
    return equal(**_range(name, value)) if not value.startswith("neq:") else _updated(name, value)


def _updated(name: str, value: str) -> Condition:
    if value.startswith("neq:"):
        return fits(~Q(**_range(name, value.removeprefix("n"))))
    return fits(Q(**_range(name, value)))


def _range(name: str, value: str) -> dict[str, datetime]:
    """Return the range of a comparison; rows have fractions of a second, the API's times have none."""
    operator, colon, text = value.partition(":")
    if not colon or operator not in _COMPARE:
        operator, text = "eq", value
    when = _moment(name, text)
    return {
        "eq": {f"{name}__gte": when, f"{name}__lt": when + _SECOND},
        "gt": {f"{name}__gte": when + _SECOND},
        "gte": {f"{name}__gte": when},
        "lt": {f"{name}__lt": when},
        "lte": {f"{name}__lt": when + _SECOND},
    }[operator]


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


_READERS: dict[str, Callable[[str, str], Condition]] = {
    **dict.fromkeys(_EXACT_OR_IN, _exact_or_in),
    **dict.fromkeys(_EXACT, lambda name, value: equal(**{name: value})),
    **dict.fromkeys(_NUMBERS, _number),
    "created_at": _created,
    "updated_at": _updated,
    "protected": lambda name, value: equal(protected__in=[_flag(name, value)]),  # SQLite uses no index for a bare column
    "tag": lambda _name, value: related(ImageTag.objects.filter(name=value)),
}
