"""Request bodies of the network API: what may be said when a resource is made (create) and afterwards (changes).

Follows the Networking API v2.0 reference; what a resource shows but nobody may set is refused like an unknown attribute.
"""

from ipaddress import IPv4Network
from typing import Any

from rest_framework import serializers

from compute.network.api.v2_0.base import boolean
from portal.core.api.serializers import StrictSerializer, StrictString, UuidString

BIGGEST = 2**31 - 1


class Word(StrictString):
    """Text of at most 255 characters; blank is allowed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": False, "allow_blank": True, "max_length": 255, "trim_whitespace": False, **options})


class Truth(serializers.BooleanField):
    """A boolean, or a word or number for one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": False, **options})

    def to_internal_value(self, data: Any) -> bool:
        try:
            return data if isinstance(data, bool) else boolean(str(data))
        except ValueError as error:
            raise serializers.ValidationError(f"'{str(data)[:60]}' cannot be converted to boolean.") from error


class Number(serializers.IntegerField):
    """A whole number, or digits."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": False, "min_value": 0, "max_value": BIGGEST, **options})

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, (bool, float)):
            raise serializers.ValidationError(f"'{data}' is not an integer.")
        return super().to_internal_value(data)


class Address(serializers.IPAddressField):
    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": False, "protocol": "IPv4", **options})


class EtherType(serializers.ChoiceField):
    """IPv4 or IPv6, in letters of any size."""

    def __init__(self, **options: Any) -> None:
        super().__init__(["IPv4", "IPv6"], **options)

    def to_internal_value(self, data: Any) -> Any:
        words = {choice.lower(): choice for choice in self.choices}
        return super().to_internal_value(words.get(str(data).lower(), data))


class Owned(StrictSerializer):
    """What every resource has."""

    name = Word()
    description = Word()
    project_id = Word(max_length=64)
    tenant_id = Word(max_length=64)


class _Colons(StrictSerializer):
    """Attributes whose names are no names of Python."""

    more: dict[str, type[serializers.Field[Any, Any, Any, Any]]] = {}

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), **{name: kind() for name, kind in self.more.items()}}


class NetworkChanges(_Colons):
    name = Word()
    description = Word()
    admin_state_up = Truth()
    shared = Truth()
    mtu = Number()
    port_security_enabled = Truth()

    more = {"router:external": Truth}


class NetworkCreate(NetworkChanges, Owned):
    more = {"router:external": Truth, "provider:network_type": Word}


class Pool(StrictSerializer):
    start = Address(required=True)
    end = Address(required=True)


class Route(StrictSerializer):
    destination = StrictString(max_length=64)
    nexthop = Address(required=True)

    def validate_destination(self, value: str) -> str:
        try:
            return str(IPv4Network(value))
        except ValueError as error:
            raise serializers.ValidationError(f"'{value}' is not a valid IP subnet.") from error


class SubnetChanges(StrictSerializer):
    name = Word()
    description = Word()
    enable_dhcp = Truth()
    gateway_ip = Address(allow_null=True)
    allocation_pools = Pool(many=True, required=False)
    dns_nameservers = serializers.ListField(child=Address(required=True), required=False, max_length=5)
    host_routes = Route(many=True, required=False)

    def validate_dns_nameservers(self, value: list[str]) -> list[str]:
        for address in value:
            if value.count(address) > 1:
                raise serializers.ValidationError(f"Duplicate nameserver '{address}'.")
        return value


class SubnetCreate(SubnetChanges, Owned):
    network_id = UuidString()
    cidr = StrictString(max_length=64)
    ip_version = Number(required=True, min_value=4, max_value=6)


class FixedIp(StrictSerializer):
    subnet_id = UuidString(required=False)
    ip_address = Address()


class Pair(StrictSerializer):
    ip_address = StrictString(max_length=64)
    mac_address = StrictString(required=False, max_length=32)


def _ids() -> Any:
    return serializers.ListField(child=UuidString(), required=False, allow_null=True, max_length=200)


class PortChanges(_Colons):
    name = Word()
    description = Word()
    admin_state_up = Truth()
    mac_address = StrictString(required=False, max_length=32)
    fixed_ips = FixedIp(many=True, required=False, allow_null=True)
    device_id = Word()
    device_owner = Word()
    security_groups = _ids()
    port_security_enabled = Truth()
    allowed_address_pairs = Pair(many=True, required=False, allow_null=True)

    more = {"binding:host_id": Word}

    def get_fields(self) -> dict[str, Any]:
        vnic = serializers.ChoiceField(["normal"], required=False)
        return {**super().get_fields(), "binding:vnic_type": vnic}


class PortCreate(PortChanges, Owned):
    network_id = UuidString()


class GroupChanges(StrictSerializer):
    name = Word()
    description = Word()


class GroupCreate(GroupChanges, Owned):
    stateful = serializers.ChoiceField([True], required=False)


class RuleCreate(StrictSerializer):
    security_group_id = StrictString(max_length=36)
    direction = serializers.ChoiceField(["ingress", "egress"])
    ethertype = EtherType(required=False, allow_null=True)
    protocol = serializers.JSONField(required=False, allow_null=True)
    port_range_min = Number(allow_null=True, min_value=-BIGGEST)
    port_range_max = Number(allow_null=True, min_value=-BIGGEST)
    remote_ip_prefix = Word(allow_null=True, max_length=64)
    remote_group_id = Word(allow_null=True, max_length=36)
    remote_address_group_id = serializers.ChoiceField([None], required=False, allow_null=True)
    description = Word()
    project_id = Word(max_length=64)
    tenant_id = Word(max_length=64)

    def validate_protocol(self, value: Any) -> str | None:
        if value is not None and (isinstance(value, bool) or not isinstance(value, (str, int))):
            raise serializers.ValidationError("It must be a name or a number.")
        return None if value is None else str(value)
