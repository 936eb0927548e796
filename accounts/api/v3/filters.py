"""Filters of lists (Identity v3, "Filtering"): attributes by value, names by ``name__contains`` and its kin, times by ``lt:``."""

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import QueryDict
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive, make_aware

from portal.core.errors import BadRequest

M = TypeVar("M", bound=Model)

NO = ("f", "false", "off", "n", "no", "0")
TIMES = {"lt": "lt", "lte": "lte", "gt": "gt", "gte": "gte", "eq": "exact", "neq": "exact"}

COMPARISONS = ("contains", "icontains", "startswith", "istartswith", "endswith", "iendswith")


def truth(text: str) -> bool:
    """Return what a query's boolean says: a name without a value, and every word but a no, means yes."""
    return text.strip().lower() not in NO


def narrow(
    rows: QuerySet[M], params: QueryDict, *names: str, flags: tuple[str, ...] = (), others: Mapping[str, str] | None = None
) -> QuerySet[M]:
    """Keep the rows that the query asks for: by columns of the same name, by flags, and by ``others`` (parameter to column)."""
    columns = {name: name for name in names} | dict(others or {})
    for parameter in params:
        name, _separator, comparison = parameter.partition("__")
        value: Any = params[parameter]
        if parameter in columns:
            rows = rows.filter(**{columns[parameter]: value})
        elif parameter in flags:
            rows = rows.filter(**{parameter: truth(value)})
        elif name in columns and comparison in COMPARISONS:
            rows = rows.filter(**{f"{columns[name]}__{comparison}": value})
    return rows


def narrow_time(rows: QuerySet[M], params: QueryDict, column: str) -> QuerySet[M]:
    """Keep the rows whose time stands as the query says, such as ``password_expires_at=lt:2027-01-01T00:00:00Z``."""
    for text in params.getlist(column):
        operator, _colon, rest = text.partition(":")
        moment = parse_datetime(rest) if operator in TIMES else None
        if moment is None:
            raise BadRequest(
                f"Invalid input for {column}: {text!r} is not an operator and a time such as lt:2027-01-01T00:00:00Z."
            )
        at = make_aware(moment) if is_naive(moment) else moment
        where = {f"{column}__{TIMES[operator]}": at}
        rows = rows.exclude(**where) if operator == "neq" else rows.filter(**where)
    return rows
