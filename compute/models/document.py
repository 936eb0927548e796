"""JSON columns of rows that are listed by the thousand."""

from typing import Any

import msgspec
from django.db import models
from django.db.models.fields.json import KeyTransform


class Document(models.JSONField):
    """A JSON column, read by the quick decoder; to the database and to migrations it is Django's own."""

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        if isinstance(value, str) and not isinstance(expression, KeyTransform):
            return msgspec.json.decode(value)
        return super().from_db_value(value, expression, connection)

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, kwargs
