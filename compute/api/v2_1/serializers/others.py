"""Bodies about keypairs, services, limits and metadata."""

from typing import Any

from rest_framework import serializers

from compute.api.v2_1 import versions
from compute.api.v2_1.serializers.base import MetadataField, StrictBoolean, VersionedSerializer, WholeNumber
from compute.models.keypair import KeypairType
from portal.core.api.serializers import NameField, StrictSerializer, StrictString, UuidString
from portal.core.versions import Version

BIGGEST = 2**31 - 1


class KeypairBody(VersionedSerializer):
    """ "Create Or Import Keypair": from 2.92 on only import."""

    name = NameField()
    public_key = StrictString(required=False, max_length=16384, trim_whitespace=False)
    type = serializers.ChoiceField(list(KeypairType), required=False)
    user_id = StrictString(required=False, min_length=1, max_length=255)

    since = {"type": versions.KEYPAIR_TYPE, "user_id": versions.KEYPAIR_USER}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.context["version"] >= versions.KEYPAIR_IMPORT_ONLY and "public_key" not in attrs:
            raise serializers.ValidationError("'public_key' is a required property")
        return attrs

    def validate_name(self, value: str) -> str:
        if self.context["version"] < versions.KEYPAIR_IMPORT_ONLY and {"@", "."} & set(value):
            raise serializers.ValidationError(f"{value[:50]!r} has characters that are allowed from 2.92 on.")
        return value


class KeypairCreate(StrictSerializer):
    keypair = KeypairBody()


class ServiceWord(StrictSerializer):
    host = StrictString(min_length=1, max_length=255)
    binary = StrictString(min_length=1, max_length=255)


class ServiceReason(ServiceWord):
    disabled_reason = NameField()


class ServiceForcedDown(ServiceWord):
    forced_down = StrictBoolean()


class ServiceUpdate(StrictSerializer):
    """ "Update Compute Service" from 2.53 on."""

    status = serializers.ChoiceField(["enabled", "disabled"], required=False)
    disabled_reason = NameField(required=False)
    forced_down = StrictBoolean(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError("{} does not have enough properties")
        if "disabled_reason" in attrs and attrs.get("status") != "disabled":
            raise serializers.ValidationError("Specifying disabled_reason requires that status is 'disabled'.")
        return attrs


def _limit() -> WholeNumber:
    return WholeNumber(required=False, min_value=-1, max_value=BIGGEST)


class QuotaFigures(VersionedSerializer):
    instances = _limit()
    cores = _limit()
    ram = _limit()
    key_pairs = _limit()
    metadata_items = _limit()
    server_groups = _limit()
    server_group_members = _limit()
    fixed_ips = _limit()
    floating_ips = _limit()
    security_groups = _limit()
    security_group_rules = _limit()
    injected_files = _limit()
    injected_file_content_bytes = _limit()
    injected_file_path_bytes = _limit()


class QuotaChanges(QuotaFigures):
    force = StrictBoolean(required=False)
    tenant_id = StrictString(required=False, max_length=255)

    until = {
        **dict.fromkeys(("fixed_ips", "floating_ips", "security_groups", "security_group_rules"), Version(2, 35)),
        **dict.fromkeys(("injected_files", "injected_file_content_bytes", "injected_file_path_bytes"), Version(2, 56)),
    }


class QuotaClassChanges(QuotaFigures):
    until = {
        **dict.fromkeys(("floating_ips", "fixed_ips", "security_groups", "security_group_rules"), Version(2, 49)),
        **dict.fromkeys(("injected_files", "injected_file_content_bytes", "injected_file_path_bytes"), Version(2, 56)),
    }


class QuotaClassUpdate(StrictSerializer):
    quota_class_set = QuotaClassChanges()


class QuotaUpdate(StrictSerializer):
    quota_set = QuotaChanges()


class Metadata(StrictSerializer):
    metadata = MetadataField()


class MetadataItem(StrictSerializer):
    meta = MetadataField()


class _Volume(StrictSerializer):
    volumeId = UuidString()  # noqa: N815 - the wire's spelling
    device = StrictString(required=False, allow_null=True, max_length=255)
    tag = StrictString(required=False, max_length=60)
    delete_on_termination = StrictBoolean(required=False)


class VolumeAttach(StrictSerializer):
    volumeAttachment = _Volume()  # noqa: N815


class _Share(StrictSerializer):
    share_id = UuidString()
    tag = StrictString(required=False, max_length=255)


class ShareAttach(StrictSerializer):
    share = _Share()
