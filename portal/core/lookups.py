"""Finding text inside text by one rule on every database: ``contains`` and its kin tell case, ``icontains`` and its kin do not.

Of itself SQLite would pass over the case of ASCII letters in both, and MariaDB, whose columns tell case, in neither.
"""

from typing import Any, ClassVar

from django.db.models import CharField, Func, TextField, Value, lookups
from django.db.models.functions import Length, Right, StrIndex

_AnySql = tuple[str, Any]


class _Exact(lookups.PatternLookup):
    """Tells case on SQLite too, whose LIKE does not."""

    def as_sqlite(self, compiler: Any, connection: Any) -> _AnySql:
        sql, params = compiler.compile(self.found(self.lhs, Value(self.rhs) if self.rhs_is_direct_value() else self.rhs))
        return sql, params

    def found(self, text: Any, part: Any) -> Any:
        """Return the expression that is true where ``part`` stands in its place in ``text``."""
        raise NotImplementedError
