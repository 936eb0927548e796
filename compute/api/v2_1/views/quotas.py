"""Limits and quota sets (compute API reference, "Limits" and "Quota sets")."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.services import quotas
from compute import group_selectors, policies, selectors
from compute.api.v2_1.base import ComputeView
from compute.api.v2_1.presenters import quotas as present
from compute.api.v2_1.serializers.base import read
from compute.api.v2_1.serializers.others import QuotaClassUpdate, QuotaUpdate
from compute.services import limits
from portal.core.policy import Rule, authorize


class LimitsView(ComputeView):
    """GET /limits."""

    query = frozenset({"reserved", "tenant_id"})

    def get(self, request: Request) -> Response:
        project_id = self.params.get("tenant_id") or self.ctx.project_id or ""
        authorize(self.ctx, policies.LIMITS)
        if project_id != self.ctx.project_id:
            authorize(self.ctx, policies.LIMITS_OTHER)
        groups = group_selectors.count(project_id)
        body = present.absolute(quotas.limits(project_id), selectors.usage(project_id), self.version, groups)
        return Response({"limits": {"rate": [], "absolute": body}})


class _QuotaBase(ComputeView):
    query = frozenset({"user_id"})

    def let_in(self, project_id: str, rule: Rule) -> None:
        authorize(self.ctx, rule, {"project_id": project_id})


class QuotaSetView(_QuotaBase):
    """GET, PUT and DELETE /os-quota-sets/{project}."""

    def get(self, request: Request, project_id: str) -> Response:
        self.let_in(project_id, policies.QUOTA_SHOW)
        return self._shown(project_id, quotas.limits(project_id), with_id=True)

    def put(self, request: Request, project_id: str) -> Response:
        changes = read(QuotaUpdate, request.data, self.version)["quota_set"]
        changes.pop("tenant_id", None)
        force = changes.pop("force", False)
        after = limits.change(ctx=self.ctx, project_id=project_id, changes=changes, force=force)
        return self._shown(project_id, after, with_id=False)

    def delete(self, request: Request, project_id: str) -> Response:
        limits.reset(ctx=self.ctx, project_id=project_id)
        return Response(status=202)

    def _shown(self, project_id: str, found: dict[str, int], *, with_id: bool) -> Response:
        body: dict[str, Any] = present.figures(found, self.version)
        return Response({"quota_set": {"id": project_id, **body} if with_id else body})


class QuotaSetDetailView(_QuotaBase):
    """GET /os-quota-sets/{project}/detail."""

    def get(self, request: Request, project_id: str) -> Response:
        self.let_in(project_id, policies.QUOTA_DETAIL)
        body = present.detailed(quotas.limits(project_id), selectors.in_use([project_id]), self.version)
        return Response({"quota_set": {"id": project_id, **body}})


class QuotaDefaultsView(_QuotaBase):
    """GET /os-quota-sets/{project}/defaults."""

    def get(self, request: Request, project_id: str) -> Response:
        self.let_in(project_id, policies.QUOTA_DEFAULTS)
        return Response({"quota_set": {"id": project_id, **present.figures(quotas.defaults(), self.version)}})


class QuotaClassView(ComputeView):
    """GET /os-quota-class-sets/{name}: the only class there is holds the defaults."""

    def get(self, request: Request, name: str) -> Response:
        authorize(self.ctx, policies.QUOTA_CLASS_SHOW)
        body = present.quota_class(quotas.defaults(), self.version)
        return Response({"quota_class_set": {"id": name, **body}})

    def put(self, request: Request, name: str) -> Response:
        changes = read(QuotaClassUpdate, request.data, self.version)["quota_class_set"]
        after = limits.change_defaults(ctx=self.ctx, changes=changes)
        return Response({"quota_class_set": present.quota_class(after, self.version)})
