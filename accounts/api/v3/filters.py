"""Filters of lists (Identity v3, "Filtering"): attributes by value, names by ``name__contains`` and its kin, times by ``lt:``."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.db.models import F, Model, QuerySet, Value
from django.db.models.functions import Left, Length, Lower, Right, StrIndex
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual
from django.http import QueryDict
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive, make_aware

from portal.core.errors import BadRequest

M = TypeVar("M", bound=Model)
Part = Callable[[Any, str], Any]

NO = ("f", "false", "off", "n", "no", "0")
TIMES = {"lt": "lt", "lte": "lte", "gt": "gt", "gte": "gte", "eq": "exact", "neq": "exact"}

# Written with functions that compare exactly on every database; LIKE does not.
PARTS: dict[str, Part] = {
    "contains": lambda text, wanted: StrIndex(text, Value(wanted)),
    "startswith": lambda text, wanted: Left(text, len(wanted)),
    "endswith": lambda text, wanted: Right(text, len(wanted)),
}


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
        elif name in columns and comparison.removeprefix("i") in PARTS and value:
            rows = _compared(rows, columns[name], comparison, value)
    return rows


def _compared(rows: QuerySet[M], column: str, comparison: str, value: str) -> QuerySet[M]:
    folded = comparison.startswith("i")
    text, wanted = (Lower(F(column)), value.lower()) if folded else (F(column), value)
    kind = comparison.removeprefix("i")
    found = PARTS[kind](text, wanted)
    if kind == "contains":
        return rows.filter(GreaterThan(found, 0))
    return rows.filter(Exact(found, Value(wanted)), GreaterThanOrEqual(Length(column), len(value)))


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
