"""Request bodies about servers (compute API reference, "Create Server" and "Update Server")."""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from rest_framework import serializers

from compute.api.v2_1 import versions
from compute.api.v2_1.serializers import block_devices
from compute.api.v2_1.serializers.base import MetadataField, StrictBoolean, VersionedSerializer, WholeNumber
from compute.api.v2_1.serializers.server_fields import (
    AccessAddress,
    AdminPass,
    Description,
    DiskConfig,
    Empty,
    FlavorRef,
    Hints,
    Hostname,
    ImageRef,
    InjectedFile,
    Networks,
    SecurityGroupItem,
    Tags,
    UserData,
)
from compute.services.birth import Extras
from compute.virt import admin_password
from portal.core.api.serializers import NameField, StrictSerializer, StrictString
from portal.core.versions import Version

_DISK_CONFIG = "OS-DCF:diskConfig"
_HINTS = ("os:scheduler_hints", "OS-SCH-HNT:scheduler_hints")


class ServerBody(VersionedSerializer):
    """What "Create Server" takes; what is left out of the cloud is accepted only when it is empty."""

    name = NameField()
    flavorRef = FlavorRef(max_length=255)  # noqa: N815 - the wire's spelling
    imageRef = ImageRef(required=False)  # noqa: N815
    networks = Networks(required=False)
    key_name = StrictString(required=False, min_length=1, max_length=255, trim_whitespace=False)
    user_data = UserData(required=False, allow_null=True)
    metadata = MetadataField(required=False)
    config_drive = StrictBoolean(required=False)
    availability_zone = NameField(required=False)
    min_count = WholeNumber(required=False, min_value=1, max_value=10_000)
    max_count = WholeNumber(required=False, min_value=1, max_value=10_000)
    return_reservation_id = StrictBoolean(required=False)
    security_groups = SecurityGroupItem(many=True, required=False)
    adminPass = AdminPass()  # noqa: N815
    description = Description(required=False)
    hostname = Hostname(required=False)
    block_device_mapping_v2 = block_devices.BlockDevice(many=True, required=False)
    block_device_mapping = Empty(required=False)
    personality = InjectedFile(many=True, required=False)
    accessIPv4 = AccessAddress(IPv4Address, required=False)  # noqa: N815
    accessIPv6 = AccessAddress(IPv6Address, required=False)  # noqa: N815
    tags = Tags(required=False)
    trusted_image_certificates = Empty(required=False, allow_null=True)
    host = StrictString(required=False, min_length=1, max_length=255)
    hypervisor_hostname = StrictString(required=False, min_length=1, max_length=255)

    since = {
        "description": versions.DESCRIPTION,
        "tags": versions.TAGS_AT_CREATE,
        "trusted_image_certificates": versions.TRUSTED_CERTIFICATES,
        "host": versions.DESTINATION,
        "hypervisor_hostname": versions.DESTINATION,
        "hostname": versions.HOSTNAME,
    }
    until = {"personality": Version(2, 56)}

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), _DISK_CONFIG: DiskConfig(required=False)}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.context["version"] >= versions.NETWORKS_REQUIRED and "networks" not in attrs:
            raise serializers.ValidationError("'networks' is a required property")
        if attrs.get("min_count", 1) > attrs.get("max_count", attrs.get("min_count", 1)):
            raise serializers.ValidationError("min_count must be <= max_count")
        devices = attrs.get("block_device_mapping_v2") or []
        attrs["local_disks"] = block_devices.local_disks(devices)
        boot = block_devices.image_of(devices)
        if boot and (attrs.get("imageRef") or boot) != boot:
            raise serializers.ValidationError("imageRef and the boot device name different images.")
        attrs["imageRef"] = attrs.get("imageRef") or boot
        if not attrs.get("imageRef"):
            raise serializers.ValidationError("Invalid imageRef provided.")
        return attrs


class ServerCreate(StrictSerializer):
    server = ServerBody()

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), **{name: Hints(required=False) for name in _HINTS}}


def creation(whole: Mapping[str, Any], version: Version) -> dict[str, Any]:
    """Return the checked body as the arguments of ``lifecycle.create``."""
    body = whole["server"]
    count = body.get("min_count", 1)
    return {
        "name": body["name"],
        "flavor_id": body["flavorRef"],
        "image_id": body["imageRef"],
        "networks": body.get("networks") or None,
        "key_name": body.get("key_name"),
        "user_data": body.get("user_data"),
        "metadata": body.get("metadata", {}),
        "config_drive": body.get("config_drive"),
        "availability_zone": body.get("availability_zone"),
        "min_count": count,
        "max_count": body.get("max_count", count),
        "security_groups": list(dict.fromkeys(item["name"] for item in body.get("security_groups", []))),
        "description": body.get("description") if version >= versions.DESCRIPTION else body["name"],
        "hostname": body.get("hostname"),
        "extras": _extras(whole),
    }


def _extras(whole: Mapping[str, Any]) -> Extras:
    body = whole["server"]
    return Extras(
        tags=body.get("tags", []),
        hints=next((whole[name] for name in _HINTS if name in whole), {}),
        host=body.get("host"),
        hypervisor_hostname=body.get("hypervisor_hostname"),
        files=[dict(file) for file in body.get("personality", [])],
        auto_disk_config=body.get(_DISK_CONFIG, False),
        access_ip_v4=body.get("accessIPv4") or "",
        access_ip_v6=body.get("accessIPv6") or "",
        admin_pass=body.get("adminPass") or admin_password.new(),
        **body["local_disks"],
    )


class ServerChanges(VersionedSerializer):
    name = NameField(required=False)
    description = Description(required=False)
    hostname = Hostname(required=False)
    accessIPv4 = AccessAddress(IPv4Address, required=False)  # noqa: N815
    accessIPv6 = AccessAddress(IPv6Address, required=False)  # noqa: N815
    pinned_availability_zone = NameField(required=False, allow_null=True)

    since = {
        "description": versions.DESCRIPTION,
        "hostname": versions.HOSTNAME,
        "pinned_availability_zone": versions.PINNED_ZONE_CHANGES,
    }

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), _DISK_CONFIG: DiskConfig(required=False)}


class ServerUpdate(StrictSerializer):
    server = ServerChanges()


_COLUMNS = {
    "name": "name",
    "description": "description",
    "hostname": "hostname",
    "accessIPv4": "access_ip_v4",
    "accessIPv6": "access_ip_v6",
    "pinned_availability_zone": "requested_zone",
    _DISK_CONFIG: "auto_disk_config",
}


def changes(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the checked body as the arguments of ``lifecycle.update``."""
    found = {column: body[name] for name, column in _COLUMNS.items() if name in body}
    return {name: value or "" if name.startswith("access_ip") else value for name, value in found.items()}
