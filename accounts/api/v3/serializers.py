"""What identity reads: the shapes of request bodies. Unknown attributes of things are kept (Identity v3, "extra attributes")."""

from typing import Any, ClassVar

from django.core.validators import RegexValidator
from rest_framework import serializers

from accounts.api.v3.options import Options, StrictBoolean, UserOptions
from accounts.models.catalog import Interface
from portal.core.api.serializers import StrictSerializer, StrictString

ASSIGNED_HERE = ("id", "links", "password_expires_at")


class Name(StrictString):
    """A name of 1 to 255 printable characters; white space around it is dropped, as upstream does."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_length": 1, "max_length": 255, **options})

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        if not name.isprintable():
            raise serializers.ValidationError(f"{name!r} must be printable.")
        return name


class Ident(StrictString):
    """An id of somebody else's making."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_length": 1, "max_length": 64, **options})


class Text(StrictString):
    """Free text; null is the empty text."""

    def __init__(self, **options: Any) -> None:
        defaults = {"required": False, "allow_blank": True, "allow_null": True, "trim_whitespace": False, "max_length": 65535}
        super().__init__(**{**defaults, **options})

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        return (True, "") if data is None else super().validate_empty_values(data)


class OpenSerializer(serializers.Serializer[Any]):
    """A body whose unknown attributes are kept under ``extra``; what only we assign is ignored."""

    ignored: ClassVar[tuple[str, ...]] = ASSIGNED_HERE

    def to_internal_value(self, data: Any) -> Any:
        values = super().to_internal_value(data)
        extra = {key: value for key, value in data.items() if key not in self.fields and key not in self.ignored}
        if any("\x00" in key or len(key) > 255 for key in extra):
            raise serializers.ValidationError("An attribute's name is too long or not printable.")
        return values | ({"extra": extra} if extra else {})


class TagName(StrictString):
    """A tag: 1 to 255 characters without comma and slash, which queries and addresses use."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_length": 1, "max_length": 255, "trim_whitespace": False, **options})

    def to_internal_value(self, data: Any) -> str:
        tag = super().to_internal_value(data)
        if "," in tag or "/" in tag or not tag.isprintable():
            raise serializers.ValidationError(f"{tag!r} must be printable and must not contain a comma or a slash.")
        return tag


class TagList(serializers.ListField):
    """Up to 80 tags, each once."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"child": TagName(), "max_length": 80, **options})

    def to_internal_value(self, data: Any) -> list[str]:
        tags = super().to_internal_value(data)
        if len(set(tags)) != len(tags):
            raise serializers.ValidationError(f"{tags!r} has non-unique elements.")
        return tags


class Tags(StrictSerializer):
    """The body of PUT /v3/projects/{id}/tags."""

    tags = TagList()


class DomainShape(OpenSerializer):
    ignored = (*ASSIGNED_HERE, "domain_id", "parent_id", "is_domain")

    name = Name(max_length=64)
    description = Text()
    enabled = StrictBoolean(required=False)
    options = Options(required=False)
    tags = TagList(required=False)


class NewDomain(DomainShape):
    """A domain that is made, under an id of the client's choice where one is given."""

    explicit_domain_id = StrictString(
        required=False, allow_null=True, trim_whitespace=False, validators=[RegexValidator(r"\A[0-9a-f]{32}\Z")]
    )


class ProjectShape(OpenSerializer):
    name = Name(max_length=64)
    domain_id = Ident(required=False, allow_null=True)
    parent_id = Ident(required=False, allow_null=True)
    description = Text()
    enabled = StrictBoolean(required=False)
    is_domain = StrictBoolean(required=False)
    options = Options(required=False)
    tags = TagList(required=False)


class GroupShape(OpenSerializer):
    name = Name(max_length=64)
    domain_id = Ident(required=False, allow_null=True)
    description = Text()


class UserShape(OpenSerializer):
    name = Name()
    domain_id = Ident(required=False, allow_null=True)
    default_project_id = Ident(required=False, allow_null=True)
    password = StrictString(required=False, allow_null=True, trim_whitespace=False)
    email = Text(max_length=254)
    description = StrictString(required=False, allow_null=True, allow_blank=True, trim_whitespace=False)
    enabled = StrictBoolean(required=False)
    options = UserOptions(required=False)


class RoleShape(OpenSerializer):
    name = Name()
    domain_id = Ident(required=False, allow_null=True)
    description = StrictString(required=False, allow_null=True, allow_blank=True, trim_whitespace=False)
    options = Options(required=False)


class RegionShape(OpenSerializer):
    id = StrictString(required=False, allow_null=True, max_length=255)
    description = Text()
    parent_region_id = StrictString(required=False, allow_null=True, max_length=255)


class ServiceShape(OpenSerializer):
    type = Name()
    name = StrictString(required=False, allow_blank=True, max_length=255)
    description = Text()
    enabled = StrictBoolean(required=False)


class EndpointShape(OpenSerializer):
    service_id = Ident()
    interface = serializers.ChoiceField(choices=Interface.values)
    url = StrictString(min_length=1, max_length=2048)
    region_id = StrictString(required=False, allow_null=True, max_length=255)
    region = StrictString(required=False, allow_null=True, max_length=255)
    enabled = StrictBoolean(required=False)

    def validate_url(self, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise serializers.ValidationError(f"{value!r} is not an address that begins with http:// or https://.")
        return value


class OwnPassword(serializers.Serializer[Any]):
    original_password = StrictString(trim_whitespace=False)
    password = StrictString(trim_whitespace=False)


class DomainRef(serializers.Serializer[Any]):
    """A domain by id or by name."""

    id = StrictString(required=False, max_length=255)
    name = StrictString(required=False, max_length=255)

    def validate(self, attrs: Any) -> Any:
        if not attrs:
            raise serializers.ValidationError("Expecting to find id or name in domain.")
        return attrs


class ProjectRef(DomainRef):
    """A project by id, or by name with its domain."""

    domain = DomainRef(required=False)

    def validate(self, attrs: Any) -> Any:
        if "id" not in attrs and not ("name" in attrs and "domain" in attrs):
            raise serializers.ValidationError("Expecting to find id, or name and domain, in project.")
        return attrs


class PersonRef(serializers.Serializer[Any]):
    """A user by id, or by name with his domain."""

    id = StrictString(required=False, max_length=255)
    name = StrictString(required=False, max_length=255, trim_whitespace=False)
    domain = DomainRef(required=False)

    def validate(self, attrs: Any) -> Any:
        if "id" not in attrs and not ("name" in attrs and "domain" in attrs):
            raise serializers.ValidationError("Expecting to find id, or name and domain, in user.")
        return attrs


class UserRef(PersonRef):
    password = StrictString(trim_whitespace=False, allow_blank=True)


class PasscodeRef(PersonRef):
    passcode = StrictString(max_length=64)


class PasswordPart(serializers.Serializer[Any]):
    user = UserRef()


class TokenPart(serializers.Serializer[Any]):
    id = StrictString()


class ApplicationCredentialPart(serializers.Serializer[Any]):
    """An application credential by id, or by name and user, and its secret."""

    id = StrictString(required=False, max_length=255)
    name = StrictString(required=False, max_length=255)
    user = PersonRef(required=False)
    secret = StrictString(trim_whitespace=False, allow_blank=True)

    def validate(self, attrs: Any) -> Any:
        if "id" not in attrs and not ("name" in attrs and "user" in attrs):
            raise serializers.ValidationError("Expecting to find id, or name and user, in application_credential.")
        return attrs


class TrustRef(serializers.Serializer[Any]):
    id = StrictString(max_length=255)


class TotpPart(serializers.Serializer[Any]):
    user = PasscodeRef()


class IdentityPart(serializers.Serializer[Any]):
    methods = serializers.ListField(child=StrictString(), allow_empty=False, max_length=8)
    password = PasswordPart(required=False)
    token = TokenPart(required=False)
    totp = TotpPart(required=False)
    application_credential = ApplicationCredentialPart(required=False)

    def validate(self, attrs: Any) -> Any:
        for method in attrs["methods"]:
            if method in self.fields and method not in attrs:
                raise serializers.ValidationError(f"Expecting to find {method} in identity.")
        return attrs


class SystemPart(serializers.Serializer[Any]):
    all = StrictBoolean()

    def validate_all(self, value: bool) -> bool:
        if not value:
            raise serializers.ValidationError("Expecting to find true in all.")
        return value


class ScopePart(serializers.Serializer[Any]):
    """At most one of project, domain, system, a trust and unscoped."""

    project = ProjectRef(required=False)
    domain = DomainRef(required=False)
    system = SystemPart(required=False)
    unscoped = serializers.DictField(required=False)

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "OS-TRUST:trust": TrustRef(required=False)}

    def to_internal_value(self, data: Any) -> Any:
        return {"unscoped": {}} if data == "unscoped" else super().to_internal_value(data)

    def validate(self, attrs: Any) -> Any:
        if len(attrs) != 1:
            raise serializers.ValidationError(
                "Expecting to find exactly one of project, domain, system, OS-TRUST:trust and unscoped in scope."
            )
        return attrs


class AuthShape(serializers.Serializer[Any]):
    identity = IdentityPart()
    scope = ScopePart(required=False)


class AuthBody(serializers.Serializer[Any]):
    """The body of POST /v3/auth/tokens (Identity v3, "Password authentication with scoped authorization" and its kin)."""

    auth = AuthShape()
