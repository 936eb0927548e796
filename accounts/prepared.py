"""Queries that the ORM builds once and the database answers many times.

Looking up a token happens on every request of every API, and there the ORM spends three times as long on putting the statement
together as the database on answering it. The statement, and how its columns are read, are therefore kept.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model, QuerySet
from django.db.models.base import ModelState


class Part:
    """Some columns of one joined table: ``path`` leads to it, ``fields`` are the attributes that are read."""

    def __init__(self, model: type[Model], path: str, fields: Iterable[str]) -> None:
        self.model = model
        wanted = set(fields)
        self.fields = [field.attname for field in model._meta.concrete_fields if field.attname in wanted]
        self.columns = [f"{path}__{name}" if path else name for name in self.fields]

    def row(self, values: Sequence[Any]) -> Any:
        """Return a row that has just these columns and fetches any other when it is asked for.

        It is put together as unpickling does it: ``from_db`` walks over every column of the model to leave most of them out.
        """
        row = self.model.__new__(self.model)
        row._state = state = ModelState()
        state.adding, state.db = False, DEFAULT_DB_ALIAS
        vars(row).update(zip(self.fields, values, strict=True))
        return row


class PreparedQuery:
    """One statement with named gaps: ``build`` gets a marker for each name and returns a queryset that filters by them."""

    def __init__(self, build: Callable[..., QuerySet[Any]], *names: str) -> None:
        self._build = build
        self._markers = {f"\x00{name}": name for name in names}
        self._plan: tuple[str, tuple[Any, ...], dict[int, Any]] | None = None

    def rows(self, **values: str) -> list[list[Any]]:
        """Return the rows for these values."""
        sql, params, converters = self._plan or self._prepare()
        connection = connections[DEFAULT_DB_ALIAS]
        with connection.cursor() as cursor:
            cursor.execute(sql, [values[self._markers[param]] if param in self._markers else param for param in params])
            found = [list(row) for row in cursor.fetchall()]
        for row in found:
            for place, (functions, expression) in converters.items():
                for function in functions:
                    row[place] = function(row[place], expression, connection)
        return found

    def _prepare(self) -> tuple[str, tuple[Any, ...], dict[int, Any]]:
        query = self._build(**{name: marker for marker, name in self._markers.items()}).query
        compiler = query.get_compiler(using=DEFAULT_DB_ALIAS)
        sql, params = compiler.as_sql()
        converters = compiler.get_converters([column[0] for column in compiler.select])
        self._plan = (sql, tuple(params), converters)
        return self._plan


def split(parts: Sequence[Part], values: Sequence[Any]) -> list[Any]:
    """Return the rows of ``parts`` from one result whose columns begin with theirs."""
    rows, place = [], 0
    for part in parts:
        rows.append(part.row(values[place : place + len(part.fields)]))
        place += len(part.fields)
    return rows
