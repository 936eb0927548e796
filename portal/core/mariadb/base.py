"""MariaDB, so that it compares text and treats a row that is there already as SQLite and PostgreSQL do."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.backends.mysql import base, operations, schema
from django.db.models import Field
from django.db.models.constants import OnConflict

# Every sign counts: case, accents, and the spaces at the end that MariaDB's other collations pass over.
CHARSET, COLLATION = "utf8mb4", "utf8mb4_nopad_bin"
# With columns that tell case, whoever asks without it must have both sides in capitals.
_CASELESS = ("iexact", "icontains", "istartswith", "iendswith")


class DatabaseSchemaEditor(schema.DatabaseSchemaEditor):
    """Tables have our collation, whatever the database was made with."""

    sql_create_table = f"{schema.DatabaseSchemaEditor.sql_create_table} CHARACTER SET {CHARSET} COLLATE {COLLATION}"


class DatabaseOperations(operations.DatabaseOperations):
    """``ignore_conflicts`` leaves a row that is there as it is, and locks it.

    INSERT IGNORE would take a shared lock, with which two that want the row for themselves wait for each other; and it would
    pass over every other fault too.
    """

    def lookup_cast(self, lookup_type: str, internal_type: str | None = None) -> str:
        return "UPPER(%s)" if lookup_type in _CASELESS else super().lookup_cast(lookup_type, internal_type)

    def insert_statement(self, on_conflict: OnConflict | None = None) -> str:
        return super().insert_statement(None if on_conflict == OnConflict.IGNORE else on_conflict)

    def on_conflict_suffix_sql(
        self,
        fields: Sequence["Field[Any, Any]"],
        on_conflict: OnConflict | None,
        update_fields: Iterable[str],
        unique_fields: Iterable[str],
    ) -> str:
        if on_conflict == OnConflict.IGNORE:
            column = self.quote_name(str(fields[0].column))
            return f"ON DUPLICATE KEY UPDATE {column} = {column}"
        return super().on_conflict_suffix_sql(fields, on_conflict, update_fields, unique_fields)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to MariaDB."""

    operators = {**base.DatabaseWrapper.operators, **dict.fromkeys(_CASELESS, "LIKE UPPER(%s)")}
    SchemaEditorClass = DatabaseSchemaEditor
    ops_class = DatabaseOperations
