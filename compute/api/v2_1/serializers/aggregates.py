"""Bodies about host aggregates (compute API reference, "Host aggregates")."""

import re
from typing import Any

from rest_framework import serializers

from compute.api.v2_1.serializers.base import metadata_key, metadata_value
from portal.core.api.serializers import NameField, StrictSerializer, StrictString, UuidString

_HOST = re.compile(r"[a-zA-Z0-9._-]{1,255}")


class ZoneField(NameField):
    """The name of an availability zone: no colon, which separates it from a host's name where a server is created."""

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        if ":" in name:
            raise serializers.ValidationError(f"{name[:50]!r} is not a 'az_name'.")
        return name


class HostField(StrictString):
    """A host's name."""

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        if not _HOST.fullmatch(name):
            raise serializers.ValidationError(f"{name[:50]!r} is not a valid host name.")
        return name


class AggregateBody(StrictSerializer):
    name = NameField()
    availability_zone = ZoneField(required=False, allow_null=True)


class AggregateCreate(StrictSerializer):
    aggregate = AggregateBody()


class AggregateChanges(StrictSerializer):
    """At least one of the two; here a name may have white space around it, which is taken away."""

    name = StrictString(required=False, min_length=1, max_length=255)
    availability_zone = ZoneField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError("{} is not valid under any of the given schemas")
        return attrs


class AggregateUpdate(StrictSerializer):
    aggregate = AggregateChanges()


class HostBody(StrictSerializer):
    host = HostField()


class NullableMetadataField(serializers.Field[Any, Any, Any, Any]):
    """A mapping of short keys to strings; null takes a key away."""

    def to_internal_value(self, data: Any) -> dict[str, str | None]:
        if not isinstance(data, dict):
            raise serializers.ValidationError(f"{str(data)[:50]!r} is not of type 'object'.")
        return {metadata_key(key): None if value is None else metadata_value(key, value) for key, value in data.items()}

    def to_representation(self, value: Any) -> Any:
        return value


class MetadataBody(StrictSerializer):
    metadata = NullableMetadataField()


class ImageBody(StrictSerializer):
    id = UuidString()


class AggregateImages(StrictSerializer):
    """ "Request Image Pre-caching for Aggregate" """

    cache = ImageBody(many=True, allow_empty=False)

    def validate_cache(self, value: list[dict[str, str]]) -> list[dict[str, str]]:
        if len({image["id"] for image in value}) < len(value):
            raise serializers.ValidationError("Duplicate images in request")
        return value
