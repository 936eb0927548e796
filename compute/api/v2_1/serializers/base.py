"""Request bodies that change with the microversion, and the fields that several of them have."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import serializers

from portal.core.api.serializers import StrictSerializer
from portal.core.errors import BadRequest
from portal.core.versions import Version

_METADATA_KEY = re.compile(r"[a-zA-Z0-9\-_:. ]{1,255}")
MAX_METADATA_VALUE = 255


class VersionedSerializer(StrictSerializer):
    """A body whose fields come (``since``) and go (``until``, included) with the microversion."""

    since: ClassVar[Mapping[str, Version]] = {}
    until: ClassVar[Mapping[str, Version]] = {}

    def get_fields(self) -> dict[str, Any]:
        version = self.context["version"]
        return {
            name: field
            for name, field in super().get_fields().items()
            if self.since.get(name, version) <= version <= self.until.get(name, version)
        }


def read(kind: type[StrictSerializer], body: Any, version: Version, **context: Any) -> dict[str, Any]:
    """Return the checked body; raises BadRequest."""
    if not isinstance(body, Mapping):
        raise BadRequest("Malformed request body: it must be a JSON object.")
    checked = kind(data=body, context={"version": version, **context})
    checked.is_valid(raise_exception=True)
    return dict(checked.validated_data)


class StrictBoolean(serializers.BooleanField):
    """A boolean, or a word that upstream takes for one."""

    _words: ClassVar[dict[str, bool]] = {
        **dict.fromkeys(("1", "on", "true", "yes", "t", "y"), True),
        **dict.fromkeys(("0", "off", "false", "no", "f", "n"), False),
    }

    def to_internal_value(self, data: Any) -> bool:
        if isinstance(data, bool):
            return data
        if isinstance(data, str) and data.lower() in self._words:
            return self._words[data.lower()]
        raise serializers.ValidationError(f"{str(data)[:50]!r} is not of type 'boolean'.")


class WholeNumber(serializers.IntegerField):
    """An integer, or a string of digits; never a boolean or a fraction."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, (bool, float)) or not isinstance(data, (int, str)):
            raise serializers.ValidationError(f"{str(data)[:50]!r} is not of type 'integer'.")
        if isinstance(data, str) and not re.fullmatch(r"-?\d{1,18}", data, re.ASCII):
            raise serializers.ValidationError(f"{data[:50]!r} is not of type 'integer'.")
        return super().to_internal_value(data)


class MetadataField(serializers.Field[Any, Any, Any, Any]):
    """A mapping of short keys to strings of at most 255 characters."""

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError(f"{str(data)[:50]!r} is not of type 'object'.")
        return {metadata_key(key): metadata_value(key, value) for key, value in data.items()}

    def to_representation(self, value: Any) -> Any:
        return value


def metadata_key(key: Any) -> str:
    """Return the key; raises ValidationError."""
    if not isinstance(key, str) or not _METADATA_KEY.fullmatch(key):
        raise serializers.ValidationError(f"{str(key)[:50]!r} is not a valid key.")
    return key


def metadata_value(key: str, value: Any) -> str:
    """Return the value; raises ValidationError."""
    if not isinstance(value, str) or len(value) > MAX_METADATA_VALUE or "\x00" in value:
        raise serializers.ValidationError(
            f"The value of {key[:50]!r} must be a string of at most {MAX_METADATA_VALUE} characters."
        )
    return value
