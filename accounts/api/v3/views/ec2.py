"""EC2 key pairs of users, and tokens for requests that were signed with them"""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import policies, selectors
from accounts.api.v3 import presenters
from accounts.api.v3.presenters import Body, Link
from accounts.api.v3.serializers import Ident
from accounts.api.v3.views.base import IdentityView
from accounts.models import Credential, Project, User
from accounts.services import credentials, ec2
from portal.core.api.serializers import StrictString
from portal.core.errors import BadRequest


class PairRequest(serializers.Serializer[Any]):
    tenant_id = Ident()


class Signed(serializers.Serializer[Any]):
    """A request that somebody signed, as the service that got it describes it."""

    access = StrictString(max_length=255)
    signature = StrictString(max_length=255)
    host = StrictString(max_length=1024)
    verb = StrictString(max_length=16)
    path = StrictString(max_length=8192, trim_whitespace=False)
    params = serializers.DictField(required=False)
    headers = serializers.DictField(child=StrictString(allow_blank=True, max_length=65535), required=False)
    body_hash = StrictString(required=False, allow_blank=True, max_length=128)


class SignedText(serializers.Serializer[Any]):
    """A text that somebody signed, as object storage describes it."""

    access = StrictString(max_length=255)
    signature = StrictString(max_length=255)
    token = StrictString(max_length=65535)


def present(row: Credential, link: Link) -> Body:
    pair = credentials.ec2_pair(row)
    return {
        "user_id": row.user_id,
        "tenant_id": row.project_id,
        "access": pair.access,
        "secret": pair.secret,
        "trust_id": pair.trust_id,
        "links": {"self": link(f"users/{row.user_id}/credentials/OS-EC2/{pair.access}")},
    }


class PairsView(IdentityView):
    """GET and POST /v3/users/{id}/credentials/OS-EC2"""

    def get(self, request: Request, user: str) -> Response:
        return self.listed("credentials", selectors.ec2_credentials(self.ctx, user), present)

    def post(self, request: Request, user: str) -> Response:
        form = PairRequest(data=request.data)
        form.is_valid(raise_exception=True)
        owner = self.found(selectors.get_user, User, "user", user)
        project = selectors.find(Project, "project", form.validated_data["tenant_id"])
        row = credentials.create_ec2(ctx=self.ctx, user=owner, project=project)
        return Response({"credential": present(row, self.link)}, status=201)


class PairView(IdentityView):
    """GET and DELETE /v3/users/{id}/credentials/OS-EC2/{access}"""

    def get(self, request: Request, user: str, access: str) -> Response:
        row = selectors.ec2_credential(self.ctx, user, access, policies.EC2_GET_CREDENTIAL)
        return Response({"credential": present(row, self.link)})

    def delete(self, request: Request, user: str, access: str) -> Response:
        credentials.delete_ec2(ctx=self.ctx, user_id=user, access=access)
        return Response(status=204)


class Ec2TokensView(IdentityView):
    """POST /v3/ec2tokens"""

    def post(self, request: Request) -> Response:
        token, grant = ec2.authenticate(ctx=self.ctx, signed=_sent(request, Signed))
        body = {"token": presenters.token(grant, selectors.catalog(grant.context()))}
        response = Response(body)
        response["X-Subject-Token"] = token
        return response


class S3TokensView(IdentityView):
    """POST /v3/s3tokens"""

    def post(self, request: Request) -> Response:
        sent = _sent(request, SignedText)
        _token, grant = ec2.authenticate_text(ctx=self.ctx, **sent)
        return Response({"token": presenters.token(grant, selectors.catalog(grant.context()))})


def _sent(request: Request, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """Return what was signed; clients call it by three names."""
    data = request.data if isinstance(request.data, dict) else {}
    found = next((data[name] for name in ("credentials", "credential", "ec2Credentials") if data.get(name)), None)
    if found is None:
        raise BadRequest("Expecting to find credentials in request body.")
    form = shape(data=found)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)
