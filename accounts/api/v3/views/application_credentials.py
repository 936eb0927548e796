"""/v3/users/{id}/application_credentials"""

from collections.abc import Callable
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.v3 import presenters
from accounts.api.v3.filters import narrow
from accounts.api.v3.lending import Moment, role_list
from accounts.api.v3.serializers import Ident, Name, StrictBoolean
from accounts.api.v3.views.base import IdentityView
from accounts.models import ApplicationCredential
from accounts.services import application_credentials
from portal.core.api.serializers import StrictSerializer, StrictString

METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")


class AccessRuleShape(serializers.Serializer[Any]):
    """An access rule that is there already, by id, or a new one."""

    id = Ident(required=False)
    service = Ident(required=False)
    path = StrictString(required=False, max_length=128, trim_whitespace=False)
    method = serializers.ChoiceField(choices=METHODS, required=False)

    def validate_path(self, value: str) -> str:
        if not value.startswith("/"):
            raise serializers.ValidationError(f"{value!r} does not begin with a slash.")
        return value

    def validate(self, attrs: Any) -> Any:
        if "id" in attrs:
            return {"id": attrs["id"]}
        if len(attrs) != 3:
            raise serializers.ValidationError("Expecting to find id, or service, path and method, in access rule.")
        return attrs


class ApplicationCredentialShape(StrictSerializer):
    """What a client may say; of the rest, project and id are ours to know and are passed over."""

    id = StrictString(required=False)
    project_id = StrictString(required=False)
    system = StrictString(required=False, allow_null=True)
    name = Name()
    description = StrictString(required=False, allow_null=True, allow_blank=True, trim_whitespace=False, max_length=65535)
    secret = StrictString(required=False, allow_null=True, trim_whitespace=False)
    expires_at = Moment()
    unrestricted = StrictBoolean(required=False, allow_null=True)
    roles = role_list()
    access_rules = serializers.ListField(child=AccessRuleShape(), required=False, allow_null=True, max_length=255)

    def validate(self, attrs: Any) -> Any:
        return {key: value for key, value in attrs.items() if key not in ("id", "project_id", "system") and value is not None}


def application_credential(row: ApplicationCredential, link: Callable[[str], str]) -> dict[str, Any]:
    """Return an application credential as the API shows it, without its secret."""
    rules = [presenters.access_rule(item) for item in row.access_rules.all()]
    body = {
        **presenters.named(row),
        "description": row.description,
        "user_id": row.user_id,
        "project_id": row.project_id,
        "system": None,
        "expires_at": row.expires_at and row.expires_at.strftime("%Y-%m-%dT%H:%M:%S.%f"),
        "unrestricted": row.unrestricted,
        "roles": [{**presenters.named(role), "domain_id": role.domain_id} for role in row.roles.all()],
        "links": {"self": link(f"users/{row.user_id}/application_credentials/{row.pk}")},
    }
    return body | ({"access_rules": rules} if rules else {})


class ApplicationCredentialsView(IdentityView):
    """GET and POST /v3/users/{id}/application_credentials"""

    def get(self, request: Request, user: str) -> Response:
        rows = narrow(application_credentials.visible(self.ctx, user), request.GET, "name")
        return self.listed("application_credentials", rows, application_credential)

    def post(self, request: Request, user: str) -> Response:
        sent = self.body("application_credential", ApplicationCredentialShape)
        row, secret = application_credentials.create(ctx=self.ctx, user_id=user, **sent)
        body = {**application_credential(row, self.link), "secret": secret}
        return Response({"application_credential": body}, status=201)


class ApplicationCredentialView(IdentityView):
    """GET, HEAD and DELETE /v3/users/{id}/application_credentials/{id}"""

    def get(self, request: Request, user: str, key: str) -> Response:
        row = application_credentials.get(self.ctx, user, key)
        return Response({"application_credential": application_credential(row, self.link)})

    def delete(self, request: Request, user: str, key: str) -> Response:
        application_credentials.delete(ctx=self.ctx, user_id=user, key=key)
        return Response(status=204)
