"""Filters of lists (Identity v3, "Filtering"): attributes by value, and names by ``name__contains`` and its kin."""

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import QueryDict

M = TypeVar("M", bound=Model)

COMPARISONS = ("contains", "icontains", "startswith", "istartswith", "endswith", "iendswith")
NO = ("f", "false", "off", "n", "no", "0")


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
