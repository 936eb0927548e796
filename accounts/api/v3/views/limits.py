"""/v3/registered_limits, /v3/limits and /v3/limits/model"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import policies, selectors
from accounts.api.v3.filters import narrow
from accounts.api.v3.views.base import CollectionView, IdentityView, MemberView
from accounts.models import Limit, RegisteredLimit
from accounts.services import limit_tree, limits
from accounts.services.quotas import MAX_LIMIT, UNLIMITED
from portal.core.api.serializers import StrictSerializer, StrictString
from portal.core.errors import BadRequest
from portal.core.policy import authorize


class Amount(serializers.IntegerField):
    """A limit: -1 for none, up to 2147483647; numbers alone."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_value": UNLIMITED, "max_value": MAX_LIMIT, **options})

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            raise serializers.ValidationError(f"{data!r} is not of type 'integer'.")
        return super().to_internal_value(data)


class _Described(StrictSerializer):
    description = StrictString(required=False, allow_null=True, allow_blank=True, max_length=65535)


class _Placed(_Described):
    service_id = StrictString(max_length=64)
    region_id = StrictString(required=False, allow_null=True, max_length=255)
    resource_name = StrictString(min_length=1, max_length=255)


class RegisteredLimitShape(_Placed):
    default_limit = Amount()


class LimitShape(_Placed):
    project_id = StrictString(required=False, allow_null=True, max_length=64)
    domain_id = StrictString(required=False, allow_null=True, max_length=64)
    resource_limit = Amount()


class LimitChange(_Described):
    resource_limit = Amount(required=False)


def registered_limit(row: RegisteredLimit, link: Callable[[str], str]) -> dict[str, Any]:
    """Return a registered limit as the API shows it."""
    return {
        "id": row.pk,
        "service_id": row.service_id,
        "region_id": row.region_id,
        "resource_name": row.resource_name,
        "default_limit": row.default_limit,
        "description": row.description,
        "links": {"self": link(f"registered_limits/{row.pk}")},
    }


def limit(row: Limit, link: Callable[[str], str]) -> dict[str, Any]:
    """Return a limit as the API shows it."""
    return {
        "id": row.pk,
        "project_id": row.project_id,
        "domain_id": row.domain_id,
        "service_id": row.registered.service_id,
        "region_id": row.registered.region_id,
        "resource_name": row.registered.resource_name,
        "resource_limit": row.resource_limit,
        "description": row.description,
        "links": {"self": link(f"limits/{row.pk}")},
    }


class _BulkView(CollectionView):
    """POST takes a list and makes all of it or nothing."""

    def post(self, request: Request) -> Response:
        sent = request.data.get(self.plural) if isinstance(request.data, dict) else None
        if not isinstance(sent, list) or not sent:
            raise BadRequest(f"Expecting to find a list of {self.plural} in request body.")
        form = self.shape(data=sent, many=True)
        form.is_valid(raise_exception=True)
        rows = type(self).create(ctx=self.ctx, wanted=list(form.validated_data))
        return Response({self.plural: [type(self).present(row, self.link) for row in rows]}, status=201)


class RegisteredLimitsView(_BulkView):
    """GET and POST /v3/registered_limits"""

    singular, plural, shape = "registered_limit", "registered_limits", RegisteredLimitShape
    present, create = registered_limit, limits.register

    def rows(self) -> Any:
        return narrow(
            selectors.registered_limits_visible(self.ctx), self.request.GET, "service_id", "region_id", "resource_name"
        )


class RegisteredLimitView(MemberView):
    """GET, PATCH and DELETE /v3/registered_limits/{id}"""

    model, singular, shape = RegisteredLimit, "registered_limit", RegisteredLimitShape
    present, find = registered_limit, selectors.get_registered_limit
    update, delete_row = limits.update_registered, limits.delete_registered


class LimitsView(_BulkView):
    """GET and POST /v3/limits"""

    singular, plural, shape, present, create = "limit", "limits", LimitShape, limit, limits.create

    def rows(self) -> Any:
        columns = {name: f"registered__{name}" for name in ("service_id", "region_id", "resource_name")}
        return narrow(selectors.limits_visible(self.ctx), self.request.GET, "project_id", "domain_id", others=columns)


class LimitView(MemberView):
    """GET, PATCH and DELETE /v3/limits/{id}"""

    model, singular, shape, present = Limit, "limit", LimitChange, limit
    find, update, delete_row = selectors.get_limit, limits.update, limits.delete


class LimitModelView(IdentityView):
    """GET /v3/limits/model"""

    def get(self, request: Request) -> Response:
        authorize(self.ctx, policies.GET_LIMIT_MODEL)
        name = settings.LIMIT_MODEL
        return Response({"model": {"name": name, "description": limit_tree.DESCRIPTIONS[name]}})
