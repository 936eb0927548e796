"""Options of things, as Identity v3 names them under ``options``; null takes one away."""

from typing import Any, ClassVar

from rest_framework import serializers

from portal.core.api.serializers import StrictString


class StrictBoolean(serializers.BooleanField):
    """``true`` or ``false``; nothing that merely looks like it."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError(f"{data!r} is not of type 'boolean'.")
        return data


class Options(serializers.DictField):
    """Options of a thing, each known by name and kind."""

    KNOWN: ClassVar[dict[str, serializers.Field[Any, Any, Any, Any]]] = {"immutable": StrictBoolean()}

    def to_internal_value(self, data: Any) -> Any:
        options = super().to_internal_value(data)
        unknown = next((name for name in options if name not in self.KNOWN), None)
        if unknown is not None:
            raise serializers.ValidationError(f"The option {unknown!r} is not known.")
        return {name: None if value is None else self.KNOWN[name].run_validation(value) for name, value in options.items()}


class Distinct(serializers.ListField):
    """A list in which nothing stands twice."""

    def to_internal_value(self, data: Any) -> list[Any]:
        items = super().to_internal_value(data)
        if any(item in items[:place] for place, item in enumerate(items)):
            raise serializers.ValidationError(f"{items!r} has non-unique elements.")
        return items


class UserOptions(Options):
    """Options of users: exemptions from rules about passwords, and which methods together prove who he is."""

    KNOWN: ClassVar[dict[str, serializers.Field[Any, Any, Any, Any]]] = {
        "ignore_change_password_upon_first_use": StrictBoolean(),
        "ignore_password_expiry": StrictBoolean(),
        "ignore_lockout_failure_attempts": StrictBoolean(),
        "ignore_user_inactivity": StrictBoolean(),
        "lock_password": StrictBoolean(),
        "multi_factor_auth_enabled": StrictBoolean(),
        "multi_factor_auth_rules": Distinct(
            child=Distinct(child=StrictString(max_length=64), allow_empty=False, max_length=16), max_length=64
        ),
    }
