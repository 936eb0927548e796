"""What the bodies about servers are made of (compute API reference, "Create Server", "Request")."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from rest_framework import serializers

from compute.api.v2_1 import versions
from compute.models.server_tag import LONGEST_TAG, MOST_TAGS
from portal.core.api.serializers import StrictSerializer, StrictString, UuidString
from portal.core.versions import Version

MAX_PASSWORD = 1024
MAX_USER_DATA = 65535
MAX_NETWORKS = 32
MAX_HINTS = 16 * 1024
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


class AdminPass(StrictString):
    """The password of a guest's administrator; none stands for one that is made."""

    def __init__(self, *, required: bool = False) -> None:
        super().__init__(required=required, allow_blank=True, max_length=MAX_PASSWORD, trim_whitespace=False)


class ImageRef(StrictString):
    """An image's id, or nothing."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_blank=True, **options)

    def to_internal_value(self, data: Any) -> str:
        word = super().to_internal_value(data)
        return UuidString().to_internal_value(word) if word else ""


class DiskConfig(serializers.ChoiceField):
    """Whether the guest's disk layout follows the flavor: True for ``AUTO``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(["AUTO", "MANUAL"], **options)

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data) == "AUTO"


class AccessAddress(StrictString):
    """An address of one family under which people reach the server, or nothing."""

    def __init__(self, family: type[IPv4Address] | type[IPv6Address], **options: Any) -> None:
        super().__init__(allow_blank=True, allow_null=True, **options)
        self._family = family

    def to_internal_value(self, data: Any) -> str:
        word = super().to_internal_value(data)
        try:
            return str(self._family(word)) if word else ""
        except ValueError as error:
            raise serializers.ValidationError(f"{word[:50]!r} is not an address of this family.") from error


class InjectedFile(StrictSerializer):
    """A file that the guest finds on its config drive."""

    path = StrictString(trim_whitespace=False, max_length=4096)
    contents = UserData()


class Tag(StrictString):
    """A word of 1 to 60 characters without ``,`` and ``/``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_length=1, max_length=LONGEST_TAG, trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        word = super().to_internal_value(data)
        if "," in word or "/" in word:
            raise serializers.ValidationError(f"{word[:60]!r} must not hold ',' or '/'.")
        return word


class Tags(serializers.ListField):
    """At most fifty of them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(child=Tag(), max_length=MOST_TAGS, **options)


class Hints(serializers.Field[Any, Any, Any, Any]):
    """Wishes of the scheduler: those that are known have a shape, any other is kept as it is."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError(f"{str(data)[:50]!r} is not of type 'object'.")
        if len(json.dumps(data)) > MAX_HINTS:
            raise serializers.ValidationError("The scheduler hints are too long.")
        for name in ("group", "same_host", "different_host"):
            words = data.get(name, [])
            for word in words if isinstance(words, list) else [words]:
                UuidString().to_internal_value(word)
        return dict(data)

    def to_representation(self, value: Any) -> Any:
        return value
