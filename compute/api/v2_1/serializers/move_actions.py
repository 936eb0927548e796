"""Bodies of resizes and moves to other hosts (compute API reference, "Servers - run an action")."""

from typing import Any

from rest_framework import serializers

from compute.api.v2_1.serializers.base import StrictBoolean, VersionedSerializer
from compute.api.v2_1.serializers.server_fields import AdminPass, DiskConfig, FlavorRef
from portal.core.api.serializers import StrictSerializer, StrictString
from portal.core.versions import Version

DISK_CONFIG = "OS-DCF:diskConfig"
_AUTO_BLOCKS = Version(2, 25)
_FORCE = {"since": Version(2, 30), "until": Version(2, 67)}


class Resize(StrictSerializer):
    flavorRef = FlavorRef(max_length=255)  # noqa: N815 - the wire's spelling

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), DISK_CONFIG: DiskConfig(required=False)}


class HostName(StrictString):
    """The name of a host."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_length=1, max_length=255, **options)


class Migrate(StrictSerializer):
    host = HostName(required=False, allow_null=True)


class BlockMigration(StrictBoolean):
    """A boolean, or ``auto`` in newer versions; what it says makes no difference where nothing can be moved."""

    def to_internal_value(self, data: Any) -> bool:
        if data == "auto" and self.context["version"] >= _AUTO_BLOCKS:
            return True
        return super().to_internal_value(data)


class _Forced(VersionedSerializer):
    """A destination may be forced in some versions, and then it must be named."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("force") and not attrs.get("host"):
            raise serializers.ValidationError("Can't force to a non-provided destination")
        return attrs


class MigrateLive(_Forced):
    host = HostName(allow_null=True)
    block_migration = BlockMigration()
    disk_over_commit = StrictBoolean()
    force = StrictBoolean(required=False)

    since = {"force": _FORCE["since"]}
    until = {"disk_over_commit": Version(2, 24), "force": _FORCE["until"]}


class Evacuate(_Forced):
    host = HostName(required=False)
    onSharedStorage = StrictBoolean()  # noqa: N815 - the wire's spelling
    adminPass = AdminPass()  # noqa: N815
    force = StrictBoolean(required=False)

    since = {"force": Version(2, 29)}
    until = {"onSharedStorage": Version(2, 13), "force": _FORCE["until"]}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("onSharedStorage") and "adminPass" in attrs:
            raise serializers.ValidationError("admin password can't be changed on existing disk")
        return super().validate(attrs)
