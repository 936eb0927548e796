"""Bodies about server groups (compute API reference, "Create Server Group")."""

from typing import Any

from rest_framework import serializers

from compute.api.v2_1 import versions
from compute.api.v2_1.serializers.base import VersionedSerializer, WholeNumber
from compute.models import ServerGroup
from portal.core.api.serializers import NameField, StrictSerializer

_SOFT = frozenset({ServerGroup.Policy.SOFT_AFFINITY, ServerGroup.Policy.SOFT_ANTI_AFFINITY})


class Rules(StrictSerializer):
    max_server_per_host = WholeNumber(required=False, min_value=1, max_value=2**31 - 1)


class ServerGroupBody(VersionedSerializer):
    name = NameField()
    policies = serializers.ListField(child=serializers.CharField(), min_length=1, max_length=1)
    policy = serializers.ChoiceField(ServerGroup.Policy.values)
    rules = Rules(required=False)

    since = {"policy": versions.ONE_GROUP_POLICY, "rules": versions.ONE_GROUP_POLICY}
    until = {"policies": versions.LAST_GROUP_POLICIES}

    def validate_policies(self, value: list[str]) -> list[str]:
        known = set(ServerGroup.Policy.values) - (_SOFT if self.context["version"] < versions.SOFT_GROUPS else set())
        if value[0] not in known:
            raise serializers.ValidationError(f"{value[0][:50]!r} is not one of {sorted(known)}")
        return value


class ServerGroupCreate(StrictSerializer):
    server_group = ServerGroupBody()


def creation(body: dict[str, Any]) -> dict[str, Any]:
    """Return the checked body as the arguments of ``server_groups.create``."""
    return {
        "name": body["name"],
        "policy": body["policy"] if "policy" in body else body["policies"][0],
        "max_per_host": body.get("rules", {}).get("max_server_per_host"),
    }
