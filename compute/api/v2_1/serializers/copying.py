"""Bodies of the actions that copy or exchange disks (compute API reference, "Servers - run an action")."""

from ipaddress import IPv4Address, IPv6Address
from typing import Any

from rest_framework import serializers

from compute.api.v2_1 import versions
from compute.api.v2_1.serializers.base import MetadataField, StrictBoolean, VersionedSerializer, WholeNumber
from compute.api.v2_1.serializers.server_fields import (
    AccessAddress,
    AdminPass,
    Description,
    DiskConfig,
    Empty,
    Hostname,
    ImageRef,
    InjectedFile,
    UserData,
)
from portal.core.api.serializers import NameField, StrictSerializer, StrictString, UuidString
from portal.core.versions import Version

_DISK_CONFIG = "OS-DCF:diskConfig"
_MOST = 2**31 - 1
# What a rebuild calls otherwise than a server's row does.
_COLUMNS = {
    "accessIPv4": "access_ip_v4",
    "accessIPv6": "access_ip_v6",
    "personality": "injected_files",
    _DISK_CONFIG: "auto_disk_config",
}
_CHANGES = ("name", "description", "hostname", "metadata", "key_name", "user_data", *_COLUMNS)


class CreateImage(StrictSerializer):
    name = NameField()
    metadata = MetadataField(required=False)


class CreateBackup(StrictSerializer):
    name = NameField()
    backup_type = StrictString(allow_blank=True, max_length=255, trim_whitespace=False)
    rotation = WholeNumber(min_value=0, max_value=_MOST)
    metadata = MetadataField(required=False)


class Rebuild(VersionedSerializer):
    """What is not named stays as it is; null takes it away where the microversion has that."""

    imageRef = ImageRef()  # noqa: N815 - the wire's spelling
    name = NameField(required=False)
    metadata = MetadataField(required=False)
    adminPass = AdminPass()  # noqa: N815
    preserve_ephemeral = StrictBoolean(required=False)
    accessIPv4 = AccessAddress(IPv4Address, required=False)  # noqa: N815
    accessIPv6 = AccessAddress(IPv6Address, required=False)  # noqa: N815
    personality = InjectedFile(many=True, required=False)
    description = Description(required=False)
    key_name = StrictString(required=False, allow_null=True, min_length=1, max_length=255, trim_whitespace=False)
    user_data = UserData(required=False, allow_null=True)
    trusted_image_certificates = Empty(required=False, allow_null=True)
    hostname = Hostname(required=False)

    since = {
        "description": versions.DESCRIPTION,
        "key_name": versions.REBUILD_KEY,
        "user_data": versions.NO_PERSONALITY,
        "trusted_image_certificates": versions.TRUSTED_CERTIFICATES,
        "hostname": versions.HOSTNAME,
    }
    until = {"personality": Version(2, 56)}

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), _DISK_CONFIG: DiskConfig(required=False)}

    def validate_imageRef(self, value: str) -> str:  # noqa: N802 - the framework's spelling
        if not value:
            raise serializers.ValidationError("'' is not a 'uuid'.")
        return value


class Rescue(StrictSerializer):
    adminPass = AdminPass()  # noqa: N815
    rescue_image_ref = UuidString(required=False)


class Unshelve(VersionedSerializer):
    """At least one of the two; a zone of null lets the server go to any."""

    availability_zone = NameField(required=False, allow_null=True)
    host = StrictString(required=False, min_length=1, max_length=255)

    since = {"host": versions.UNSHELVE_TO_HOST}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError("{} does not have enough properties")
        if self.context["version"] < versions.UNSHELVE_TO_HOST and attrs.get("availability_zone") is None:
            raise serializers.ValidationError("None is not of type 'string'.")
        return attrs


def changes(body: dict[str, Any]) -> dict[str, Any]:
    """Return what a rebuild changes beside the disk, by the names of the service."""
    return {_COLUMNS.get(name, name): body[name] for name in _CHANGES if name in body}
