"""Bodies about hosts (compute API reference, "Update Host status")."""

from typing import Any

from rest_framework import serializers

from portal.core.api.serializers import StrictSerializer

_WORDS = [spelled(word) for word in ("enable", "disable") for spelled in (str.lower, str.capitalize, str.upper)]


class HostUpdate(StrictSerializer):
    """At least one of the two."""

    status = serializers.ChoiceField(_WORDS, required=False)
    maintenance_mode = serializers.ChoiceField(_WORDS, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError("{} is not valid under any of the given schemas")
        return attrs
