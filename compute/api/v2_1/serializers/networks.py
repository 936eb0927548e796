"""Bodies about network cards, addresses and security groups (compute API reference, by these names)."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from compute.api.v2_1 import versions
from compute.api.v2_1.serializers.base import VersionedSerializer
from portal.core.api.serializers import StrictSerializer, StrictString, UuidString


class FixedIp(StrictSerializer):
    ip_address = serializers.IPAddressField()


class AttachmentBody(VersionedSerializer):
    """ "Create Interface"; a tag from 2.49 on."""

    net_id = UuidString(required=False)
    port_id = UuidString(required=False)
    fixed_ips = serializers.ListField(child=FixedIp(), required=False, min_length=1, max_length=1)
    tag = StrictString(required=False, min_length=1, max_length=60)

    since = {"tag": versions.ATTACH_TAG}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "net_id" in attrs and "port_id" in attrs:
            raise serializers.ValidationError("Must not input both network_id and port_id")
        if "fixed_ips" in attrs and "net_id" not in attrs:
            raise serializers.ValidationError("Must input network_id when request IP address")
        if any(char in attrs.get("tag", "") for char in ",/"):
            raise serializers.ValidationError({"tag": "It must not hold ',' or '/'."})
        return attrs


class Attachment(StrictSerializer):
    interfaceAttachment = AttachmentBody(required=False)  # noqa: N815 - the wire's spelling


class AddFixedIp(StrictSerializer):
    networkId = StrictString(min_length=1, max_length=255)  # noqa: N815


class RemoveFixedIp(StrictSerializer):
    address = serializers.IPAddressField()


class GroupName(StrictSerializer):
    name = StrictString(min_length=1, max_length=255)


class FloatingAddress(StrictSerializer):
    address = serializers.IPAddressField()
    fixed_address = serializers.IPAddressField(required=False)


class Lenient(StrictSerializer):
    """Older bodies in which more may stand than is read."""

    def to_internal_value(self, data: Any) -> Any:
        known = {key: value for key, value in data.items() if key in self.fields} if isinstance(data, Mapping) else data
        return super().to_internal_value(known)


class GroupBody(Lenient):
    name = StrictString(allow_blank=True, max_length=255, trim_whitespace=False)
    description = StrictString(allow_blank=True, max_length=255, trim_whitespace=False)


class Group(Lenient):
    security_group = GroupBody()


class GroupRuleBody(Lenient):
    parent_group_id = UuidString()
    group_id = UuidString(required=False, allow_null=True)
    ip_protocol = serializers.JSONField(required=False, allow_null=True)
    from_port = serializers.JSONField(required=False, allow_null=True)
    to_port = serializers.JSONField(required=False, allow_null=True)
    cidr = serializers.JSONField(required=False, allow_null=True)


class GroupRule(Lenient):
    security_group_rule = GroupRuleBody()
