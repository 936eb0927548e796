"""Bodies about flavors (compute API reference, "Flavors")."""

import re
from typing import Any

from rest_framework import serializers

from compute.api.v2_1 import versions
from compute.api.v2_1.serializers.base import StrictBoolean, VersionedSerializer, WholeNumber
from portal.core.api.serializers import NameField, StrictSerializer, StrictString

_FLAVOR_ID = re.compile(r"[a-zA-Z0-9. _-]{1,255}")
_SPEC_KEY = re.compile(r"[a-zA-Z0-9\-_:. ]{1,255}")
BIGGEST = 2**31 - 1


class FlavorIdField(StrictString):
    """An id of letters, digits, dots, dashes, underscores and spaces; a number is spelled out."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(str(data) if type(data) is int else data)
        if not _FLAVOR_ID.fullmatch(text) or text != text.strip():
            raise serializers.ValidationError(f"{text[:50]!r} is not a valid flavor id.")
        return text


class FlavorDescription(StrictString):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=65535, allow_blank=True, allow_null=True, trim_whitespace=False, **options)


class FlavorBody(VersionedSerializer):
    name = NameField()
    ram = WholeNumber(min_value=1, max_value=BIGGEST)
    vcpus = WholeNumber(min_value=1, max_value=BIGGEST)
    disk = WholeNumber(min_value=0, max_value=BIGGEST)
    swap = WholeNumber(min_value=0, max_value=BIGGEST, required=False)
    id = FlavorIdField(required=False, allow_null=True, max_length=255, trim_whitespace=False)
    rxtx_factor = serializers.FloatField(min_value=0.000001, max_value=3.4e38, required=False)
    description = FlavorDescription(required=False)

    since = {"description": versions.FLAVOR_DESCRIPTION}
    until = {"rxtx_factor": versions.LAST_RXTX_FACTOR}

    def get_fields(self) -> dict[str, Any]:
        return {
            **super().get_fields(),
            "OS-FLV-EXT-DATA:ephemeral": WholeNumber(min_value=0, max_value=BIGGEST, required=False),
            "os-flavor-access:is_public": StrictBoolean(required=False),
        }


class FlavorCreate(StrictSerializer):
    flavor = FlavorBody()


class FlavorChanges(StrictSerializer):
    description = FlavorDescription()


class FlavorUpdate(StrictSerializer):
    flavor = FlavorChanges()


class TenantBody(StrictSerializer):
    tenant = StrictString(min_length=1, max_length=255)


class SpecsField(serializers.Field[Any, Any, Any, Any]):
    """Extra specs: keys of a narrow alphabet, values of at most 255 characters; numbers are spelled out."""

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if not isinstance(data, dict) or not data:
            raise serializers.ValidationError("It must be an object with at least one key.")
        return {spec_key(key): spec_value(key, value) for key, value in data.items()}

    def to_representation(self, value: Any) -> Any:
        return value


def spec_key(key: str) -> str:
    """Return the key; raises ValidationError."""
    if not _SPEC_KEY.fullmatch(key):
        raise serializers.ValidationError(f"{key[:50]!r} is not a valid key.")
    return key


def spec_value(key: str, value: Any) -> str:
    """Return the value as text; raises ValidationError."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise serializers.ValidationError(f"The value of {key[:50]!r} must be a string.")
    text = str(value)
    if len(text) > 255 or "\x00" in text:
        raise serializers.ValidationError(f"The value of {key[:50]!r} is too long or holds a null character.")
    return text


class ExtraSpecs(StrictSerializer):
    extra_specs = SpecsField()
