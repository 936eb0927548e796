"""Strict request shapes: what is not named is refused, a string is a string, and a number is a number."""

import re
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

_UUID = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


class StrictSerializer(serializers.Serializer[Any]):
    """A request body in which unknown fields are errors."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = [str(key) for key in data if key not in self.fields]
            if unknown:
                names = ", ".join(repr(key) for key in unknown)
                complaint = f"Additional properties are not allowed ({names} unexpected)."
                raise serializers.ValidationError({"non_field_errors": [complaint]})
        return super().to_internal_value(data)


class StrictString(serializers.CharField):
    """A JSON string; numbers and booleans are refused instead of spelled out."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError(f"{data!r} is not of type 'string'.")
        if "\x00" in data:
            raise serializers.ValidationError("A null character is not allowed.")
        return super().to_internal_value(data)


class UuidString(StrictString):
    """A UUID with dashes."""

    def to_internal_value(self, data: Any) -> str:
        word = super().to_internal_value(data)
        if not _UUID.fullmatch(word):
            raise serializers.ValidationError(f"{word[:50]!r} is not a 'uuid'.")
        return word.lower()


class NameField(StrictString):
    """A name of 1 to 255 characters without surrounding white space or control characters."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("min_length", 1)
        options.setdefault("max_length", 255)
        options.setdefault("trim_whitespace", False)
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        if name != name.strip() or not name.isprintable():
            raise serializers.ValidationError(f"{name!r} must be printable and must not begin or end with white space.")
        return name
