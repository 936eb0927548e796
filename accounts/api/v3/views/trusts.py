"""/v3/OS-TRUST/trusts"""

from collections.abc import Callable
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import policies
from accounts.api.v3 import presenters
from accounts.api.v3.lending import Moment, role_list
from accounts.api.v3.serializers import Ident, OpenSerializer, StrictBoolean
from accounts.api.v3.views.base import IdentityView
from accounts.models import Trust
from accounts.services import trusts
from portal.core.errors import NotFound

MOST = 2**31 - 1
NOT_SAID = ("deleted_at", "redelegated_trust_id", "roles_links")
Link = Callable[[str], str]


class StrictCount(serializers.IntegerField):
    """A number; nothing that merely looks like it."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            raise serializers.ValidationError(f"{data!r} is not of type 'integer'.")
        return super().to_internal_value(data)


class TrustShape(OpenSerializer):
    trustor_user_id = Ident()
    trustee_user_id = Ident()
    impersonation = StrictBoolean()
    project_id = Ident(required=False, allow_null=True)
    roles = role_list()
    expires_at = Moment()
    remaining_uses = StrictCount(required=False, allow_null=True, min_value=1, max_value=MOST)
    allow_redelegation = StrictBoolean(required=False, allow_null=True)
    redelegation_count = StrictCount(required=False, allow_null=True, min_value=0, max_value=MOST)

    def to_internal_value(self, data: Any) -> Any:
        values = {key: value for key, value in super().to_internal_value(data).items() if value is not None}
        extra = {key: value for key, value in values.pop("extra", {}).items() if key not in NOT_SAID}
        return values | ({"extra": extra} if extra else {})


def trust(row: Trust, link: Link) -> dict[str, Any]:
    """Return a trust as lists show it, without its roles."""
    return {
        **row.extra,
        "id": row.pk,
        "trustor_user_id": row.trustor_id,
        "trustee_user_id": row.trustee_id,
        "project_id": row.project_id,
        "impersonation": row.impersonation,
        "expires_at": row.expires_at and presenters.time(row.expires_at),
        "deleted_at": None,
        "remaining_uses": row.remaining_uses,
        "redelegation_count": row.redelegation_count,
        "redelegated_trust_id": row.redelegated_from_id,
        "links": {"self": link(f"OS-TRUST/trusts/{row.pk}")},
    }


def whole(row: Trust, link: Link) -> dict[str, Any]:
    """Return a trust with its roles."""
    return trust(row, link) | {"roles": _roles(row, link), "roles_links": _roles_links(row, link)}


def _roles(row: Trust, link: Link) -> list[dict[str, Any]]:
    return [presenters.role(role, link) for role in row.roles.all()]


def _roles_links(row: Trust, link: Link) -> dict[str, Any]:
    return {"self": link(f"OS-TRUST/trusts/{row.pk}/roles"), "next": None, "previous": None}


class TrustsView(IdentityView):
    """GET and POST /v3/OS-TRUST/trusts"""

    def get(self, request: Request) -> Response:
        params = request.GET
        ends = {"trustor_id": params.get("trustor_user_id"), "trustee_id": params.get("trustee_user_id")}
        return self.listed("trusts", trusts.visible(self.ctx, **ends), trust)

    def post(self, request: Request) -> Response:
        row = trusts.create(ctx=self.ctx, **self.body("trust", TrustShape))
        return Response({"trust": whole(row, self.link)}, status=201)


class TrustView(IdentityView):
    """GET, HEAD and DELETE /v3/OS-TRUST/trusts/{id}"""

    def get(self, request: Request, key: str) -> Response:
        return Response({"trust": whole(trusts.get(self.ctx, key), self.link)})

    def delete(self, request: Request, key: str) -> Response:
        trusts.delete(ctx=self.ctx, trust_id=key)
        return Response(status=204)


class TrustRolesView(IdentityView):
    """GET and HEAD /v3/OS-TRUST/trusts/{id}/roles"""

    def get(self, request: Request, key: str) -> Response:
        row = trusts.get(self.ctx, key, policies.LIST_ROLES_FOR_TRUST)
        return Response({"roles": _roles(row, self.link), "links": _roles_links(row, self.link)})


class TrustRoleView(IdentityView):
    """GET and HEAD /v3/OS-TRUST/trusts/{id}/roles/{id}"""

    def get(self, request: Request, key: str, role: str) -> Response:
        row = trusts.get(self.ctx, key, policies.GET_ROLE_FOR_TRUST)
        found = next((item for item in row.roles.all() if item.pk == role), None)
        if found is None:
            raise NotFound("role", role, f"Could not find role: {role}.")
        return Response({"role": presenters.role(found, self.link)})
