"""Bodies of lock, reset of the state, password and crash dump (compute API reference, "Servers - run an action")."""

from typing import Any

from rest_framework import serializers

from compute.api.v2_1.serializers.server_fields import AdminPass
from portal.core.api.serializers import StrictSerializer, StrictString


class Lock(StrictSerializer):
    locked_reason = StrictString(required=False, min_length=1, max_length=255)


class ResetState(StrictSerializer):
    state = serializers.ChoiceField(["active", "error"])

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and not isinstance(data.get("state", ""), str):
            raise serializers.ValidationError({"state": "It is not of type 'string'."})
        return super().to_internal_value(data)


class ChangePassword(StrictSerializer):
    adminPass = AdminPass(required=True)  # noqa: N815 - the wire's spelling


class CrashDump(StrictSerializer):
    trigger_crash_dump = serializers.JSONField(allow_null=True)

    def validate_trigger_crash_dump(self, value: Any) -> None:
        if value is not None:
            raise serializers.ValidationError("It is not of type 'null'.")
