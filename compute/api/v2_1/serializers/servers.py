"""Request bodies about servers (compute API reference, "Create Server" and "Update Server")."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from compute.api.v2_1 import versions
from compute.api.v2_1.serializers.base import MetadataField, StrictBoolean, UuidString, VersionedSerializer, WholeNumber
from portal.core.api.serializers import NameField, StrictSerializer, StrictString
from portal.core.versions import Version

MAX_USER_DATA = 65535
MAX_NETWORKS = 32
_HOSTNAME = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?")
_TAG_GONE = (Version(2, 37), Version(2, 41))


class Empty(serializers.Field[Any, Any, Any, Any]):
    """Something that is understood and not offered: only its absence in another spelling is accepted."""

    def to_internal_value(self, data: Any) -> None:
        if data not in ([], {}, "", None):
            raise serializers.ValidationError("It is not supported by this cloud.")

    def to_representation(self, value: Any) -> Any:
        return value


class UserData(StrictString):
    """Base64 of at most 65535 characters."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MAX_USER_DATA, allow_blank=True, trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            base64.b64decode(re.sub(r"\s", "", text), validate=True)
        except (binascii.Error, ValueError) as error:
            raise serializers.ValidationError("User data needs to be valid base 64.") from error
        return text


class Description(StrictString):
    """Printable text of at most 255 characters, or null."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=255, allow_blank=True, allow_null=True, trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not all(char.isprintable() or char in "\n\t" for char in text):
            raise serializers.ValidationError("It must be printable.")
        return text


class Hostname(StrictString):
    """A host name: letters, digits and dashes; from 2.94 on dots between labels."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_length=2, **options)

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        dotted = self.context["version"] >= versions.FQDN
        labels = name.split(".") if dotted else [name]
        if len(name) > (255 if dotted else 63) or not all(_HOSTNAME.fullmatch(label) for label in labels):
            raise serializers.ValidationError(f"{name[:50]!r} is not a host name.")
        return name


class NetworkItem(StrictSerializer):
    uuid = UuidString(required=False)
    port = UuidString(required=False, allow_null=True)
    fixed_ip = serializers.IPAddressField(required=False)
    tag = StrictString(required=False, min_length=1, max_length=60)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        version = self.context["version"]
        if "tag" in attrs and (version < Version(2, 32) or _TAG_GONE[0] <= version <= _TAG_GONE[1]):
            raise serializers.ValidationError("Additional properties are not allowed ('tag' was unexpected).")
        if "tag" in attrs and ("," in attrs["tag"] or "/" in attrs["tag"]):
            raise serializers.ValidationError({"tag": "It must not hold ',' or '/'."})
        if not attrs.get("port") and "uuid" not in attrs:
            raise serializers.ValidationError("Bad networks format: missing 'uuid' or 'port'.")
        return attrs


class Networks(serializers.Field[Any, Any, Any, Any]):
    """A list of networks and ports, or from 2.37 on the word ``auto`` or ``none``."""

    def to_internal_value(self, data: Any) -> Any:
        version = self.context["version"]
        if isinstance(data, str) and version >= versions.NETWORKS_REQUIRED and data in ("auto", "none"):
            return data
        if not isinstance(data, list) or len(data) > MAX_NETWORKS:
            raise serializers.ValidationError(f"{str(data)[:50]!r} is not valid.")
        items = NetworkItem(data=data, many=True, context={"version": version})
        items.is_valid(raise_exception=True)
        return [dict(item) for item in items.validated_data]

    def to_representation(self, value: Any) -> Any:
        return value


class BootDevice(StrictSerializer):
    """The one block device that a server without volumes has: its image on a local disk."""

    uuid = UuidString()
    boot_index = serializers.ChoiceField([0, "0"], required=False)
    source_type = serializers.ChoiceField(["image"])
    destination_type = serializers.ChoiceField(["local"], required=False)
    delete_on_termination = StrictBoolean(required=False)


class SecurityGroupItem(StrictSerializer):
    name = StrictString(min_length=1, max_length=255)


class FlavorRef(StrictString):
    """A flavor's id, as text, number, or the end of an address."""

    def to_internal_value(self, data: Any) -> str:
        word = str(data) if isinstance(data, int) and not isinstance(data, bool) else data
        text = super().to_internal_value(word).rstrip("/").rpartition("/")[2]
        if not text:
            raise serializers.ValidationError(f"{str(data)[:50]!r} is not valid.")
        return text


class ImageRef(StrictString):
    """An image's id, the end of an address, or nothing."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_blank=True, **options)

    def to_internal_value(self, data: Any) -> str:
        word = super().to_internal_value(data).rpartition("/")[2]
        return UuidString().to_internal_value(word) if word else ""


class DiskConfig(serializers.ChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(["MANUAL"], **options)


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
    adminPass = StrictString(required=False, max_length=255, trim_whitespace=False)  # noqa: N815
    description = Description(required=False)
    hostname = Hostname(required=False)
    block_device_mapping_v2 = BootDevice(many=True, required=False)
    block_device_mapping = Empty(required=False)
    personality = Empty(required=False)
    accessIPv4 = Empty(required=False)  # noqa: N815
    accessIPv6 = Empty(required=False)  # noqa: N815
    tags = Empty(required=False)
    trusted_image_certificates = Empty(required=False, allow_null=True)
    host = Empty(required=False)
    hypervisor_hostname = Empty(required=False)

    since = {
        "description": versions.DESCRIPTION,
        "tags": versions.TAGS_AT_CREATE,
        "trusted_image_certificates": versions.TRUSTED_CERTIFICATES,
        "host": Version(2, 74),
        "hypervisor_hostname": Version(2, 74),
        "hostname": versions.HOSTNAME,
    }
    until = {"personality": Version(2, 56)}

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "OS-DCF:diskConfig": DiskConfig(required=False)}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.context["version"] >= versions.NETWORKS_REQUIRED and "networks" not in attrs:
            raise serializers.ValidationError("'networks' is a required property")
        if attrs.get("min_count", 1) > attrs.get("max_count", attrs.get("min_count", 1)):
            raise serializers.ValidationError("min_count must be <= max_count")
        boot = attrs.get("block_device_mapping_v2") or []
        if len(boot) > 1:
            raise serializers.ValidationError("Only one block device, the image, is supported by this cloud.")
        if boot and attrs.setdefault("imageRef", boot[0]["uuid"]) != boot[0]["uuid"]:
            raise serializers.ValidationError("imageRef and the boot device name different images.")
        if not attrs.get("imageRef"):
            raise serializers.ValidationError("Invalid imageRef provided.")
        return attrs


class ServerCreate(StrictSerializer):
    server = ServerBody()

    def get_fields(self) -> dict[str, Any]:
        hints = {name: Empty(required=False) for name in ("os:scheduler_hints", "OS-SCH-HNT:scheduler_hints")}
        return {**super().get_fields(), **hints}


def creation(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the checked body as the arguments of ``lifecycle.create``."""
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
        "description": body.get("description"),
        "hostname": body.get("hostname"),
    }


class ServerChanges(VersionedSerializer):
    name = NameField(required=False)
    description = Description(required=False)
    hostname = Hostname(required=False)
    accessIPv4 = Empty(required=False)  # noqa: N815
    accessIPv6 = Empty(required=False)  # noqa: N815

    since = {"description": versions.DESCRIPTION, "hostname": versions.HOSTNAME}

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "OS-DCF:diskConfig": DiskConfig(required=False)}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError("{} does not have enough properties")
        return attrs


class ServerUpdate(StrictSerializer):
    server = ServerChanges()
