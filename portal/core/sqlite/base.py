"""SQLite, so that no statement is translated twice.

Django's statements mark their gaps otherwise than SQLite's driver does, and Django searches each one for them anew every time.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db.backends.sqlite3 import base

_LONGEST = 10_000  # a statement that grew with its values is not seen again


class SQLiteCursorWrapper(base.SQLiteCursorWrapper):
    """A cursor that remembers translations."""

    def convert_query(self, query: str, *, param_names: Sequence[str] | None = None) -> str:
        if param_names is None and len(query) < _LONGEST:
            return _converted(query)
        return super().convert_query(query, param_names=param_names)


@lru_cache(maxsize=1024)
def _converted(query: str) -> str:
    return base.FORMAT_QMARK_REGEX.sub("?", query).replace("%%", "%")


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to SQLite."""

    def create_cursor(self, name: str | None = None) -> Any:
        return self.connection.cursor(factory=SQLiteCursorWrapper)
