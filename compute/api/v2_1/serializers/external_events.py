"""Bodies of what other services tell or ask (compute API reference, "Create external events", "Assisted volume snapshots")."""

from rest_framework import serializers

from portal.core.api.serializers import StrictSerializer, StrictString, UuidString
from portal.core.versions import Version

_SINCE = {
    "network-changed": Version(2, 1),
    "network-vif-plugged": Version(2, 1),
    "network-vif-unplugged": Version(2, 1),
    "network-vif-deleted": Version(2, 1),
    "volume-extended": Version(2, 51),
    "power-update": Version(2, 76),
    "accelerator-request-bound": Version(2, 82),
    "volume-reimaged": Version(2, 93),
}


class EventBody(StrictSerializer):
    """One event. Its names came with microversions."""

    name = serializers.ChoiceField(list(_SINCE))
    server_uuid = UuidString()
    status = serializers.ChoiceField(["failed", "completed", "in-progress"], required=False)
    tag = StrictString(required=False, max_length=255, allow_blank=True, trim_whitespace=False)

    def validate_name(self, value: str) -> str:
        if _SINCE[value] > self.context["version"]:
            raise serializers.ValidationError(f"{value!r} is not one of the events of this version.")
        return value


class Events(StrictSerializer):
    events = EventBody(many=True, allow_empty=False)


class _SnapshotInfo(StrictSerializer):
    snapshot_id = StrictString(min_length=1)
    type = serializers.ChoiceField(["qcow2"])
    new_file = StrictString(min_length=1)
    id = StrictString(min_length=1, required=False)


class _Snapshot(StrictSerializer):
    volume_id = StrictString(min_length=1)
    create_info = _SnapshotInfo()


class AssistedSnapshot(StrictSerializer):
    snapshot = _Snapshot()
