"""Text inside text on SQLite, whose LIKE passes over the case of ASCII letters: ``contains`` and its kin tell it there too."""

from typing import Any

from django.db.models import CharField, TextField, Value, lookups
from django.db.models.functions import Right, StrIndex
from django.db.models.lookups import Exact, GreaterThan


class _TellsCase(lookups.PatternLookup):
    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        if not self.rhs_is_direct_value() or self.rhs == "":
            return self.as_sql(compiler, connection)
        sql: tuple[str, Any] = compiler.compile(self.found(str(self.rhs)))
        return sql

    def found(self, part: str) -> "lookups.Lookup[bool]":
        """Return what is true of a text that has ``part`` in its place."""
        raise NotImplementedError


class Contains(_TellsCase, lookups.Contains):
    def found(self, part: str) -> "lookups.Lookup[bool]":
        return GreaterThan(StrIndex(self.lhs, Value(part)), 0)


class StartsWith(_TellsCase, lookups.StartsWith):
    def found(self, part: str) -> "lookups.Lookup[bool]":
        return Exact(StrIndex(self.lhs, Value(part)), 1)


class EndsWith(_TellsCase, lookups.EndsWith):
    def found(self, part: str) -> "lookups.Lookup[bool]":
        return Exact(Right(self.lhs, len(part)), part)


def register() -> None:
    """Let every text column be searched so."""
    for field in (CharField, TextField):
        for lookup in (Contains, StartsWith, EndsWith):
            field.register_lookup(lookup)
