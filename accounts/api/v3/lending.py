"""Shapes that application credentials and trusts share: the roles that are lent, and until when."""

from datetime import UTC
from typing import Any

from django.utils.dateparse import parse_datetime
from rest_framework import serializers

from accounts.api.v3.serializers import Ident, Name
from portal.core.api.serializers import StrictSerializer, StrictString

LONGEST = 64


class Moment(StrictString):
    """A time; one without an offset is UTC."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": False, "allow_null": True, **options})

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        try:
            moment = parse_datetime(text) if len(text) <= LONGEST else None
            if moment is not None:
                return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise serializers.ValidationError(f"{text[:LONGEST]!r} is not a time such as 2027-01-01T00:00:00Z.")


class RoleRef(StrictSerializer):
    """A role by id or by name."""

    id = Ident(required=False)
    name = Name(required=False)

    def validate(self, attrs: Any) -> Any:
        if len(attrs) != 1:
            raise serializers.ValidationError("Expecting to find either id or name in role.")
        return attrs


def role_list() -> serializers.ListField:
    """Return the field for the roles to lend."""
    return serializers.ListField(child=RoleRef(), required=False, allow_null=True, max_length=255)
