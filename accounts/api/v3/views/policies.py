"""/v3/policies, and for whom they are (OS-ENDPOINT-POLICY)"""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors
from accounts.api.v3 import presenters
from accounts.api.v3.filters import narrow
from accounts.api.v3.serializers import Name, OpenSerializer
from accounts.api.v3.views.base import CollectionView, IdentityView, MemberView
from accounts.models import CatalogService, Endpoint, Policy, Region
from accounts.services import policy_documents


class Blob(serializers.Field[Any, Any, Any, Any]):
    """A text or an object; what it means is the business of some service."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str | dict):
            raise serializers.ValidationError(f"{data!r} is neither a string nor an object.")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class PolicyShape(OpenSerializer):
    type = Name()
    blob = Blob()


def policy(row: Policy, link: Any) -> dict[str, Any]:
    """Return a policy as the API shows it."""
    return {**row.extra, "id": row.pk, "type": row.type, "blob": row.blob, "links": {"self": link(f"policies/{row.pk}")}}


class PoliciesView(CollectionView):
    """GET and POST /v3/policies"""

    singular, plural, shape = "policy", "policies", PolicyShape
    present, create = policy, policy_documents.create

    def rows(self) -> Any:
        return narrow(selectors.policies_visible(self.ctx), self.request.GET, "type")


class PolicyView(MemberView):
    """GET, PATCH and DELETE /v3/policies/{id}"""

    model, singular, shape, present = Policy, "policy", PolicyShape, policy
    find, update, delete_row = selectors.get_policy, policy_documents.update, policy_documents.delete


class PolicyTargetView(IdentityView):
    """GET, HEAD, PUT and DELETE /v3/policies/{id}/OS-ENDPOINT-POLICY/{endpoints/{id},services/{id}[/regions/{id}]}"""

    def get(self, request: Request, **ids: str) -> Response:
        policy_documents.check(ctx=self.ctx, **self.parts(**ids))
        return Response(status=204)

    def put(self, request: Request, **ids: str) -> Response:
        policy_documents.associate(ctx=self.ctx, **self.parts(**ids))
        return Response(status=204)

    def delete(self, request: Request, **ids: str) -> Response:
        policy_documents.dissociate(ctx=self.ctx, **self.parts(**ids))
        return Response(status=204)

    def parts(self, policy: str, **ids: str) -> dict[str, Any]:
        """Return the policy and its target."""
        kinds = {"endpoint": Endpoint, "service": CatalogService, "region": Region}
        gets = {"endpoint": selectors.get_endpoint, "service": selectors.get_service, "region": selectors.get_region}
        found: dict[str, Any] = {"policy": self.found(selectors.get_policy, Policy, "policy", policy)}
        for kind, key in ids.items():
            found[kind] = self.found(gets[kind], kinds[kind], kind, key)  # type: ignore[type-var,arg-type]
        return found


class PolicyEndpointsView(IdentityView):
    """GET /v3/policies/{id}/OS-ENDPOINT-POLICY/endpoints"""

    def get(self, request: Request, policy: str) -> Response:
        row = self.found(selectors.get_policy, Policy, "policy", policy)
        return self.listed("endpoints", policy_documents.endpoints_of(ctx=self.ctx, policy=row), presenters.endpoint)


class EndpointPolicyView(IdentityView):
    """GET and HEAD /v3/endpoints/{id}/OS-ENDPOINT-POLICY/policy"""

    def get(self, request: Request, endpoint: str) -> Response:
        row = self.found(selectors.get_endpoint, Endpoint, "endpoint", endpoint)
        return Response({"policy": policy(policy_documents.of_endpoint(ctx=self.ctx, endpoint=row), self.link)})
