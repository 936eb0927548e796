"""Limits and quota sets (compute API reference, "Limits" and "Quota sets")."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.services import quotas
from compute import group_selectors, policies, selectors, usage_selectors
from compute.api.v2_1.base import ComputeView
from compute.api.v2_1.presenters import quotas as present
from compute.api.v2_1.serializers.base import read
from compute.api.v2_1.serializers.others import QuotaClassUpdate, QuotaUpdate
from compute.services import limits, user_limits
from portal.core.errors import BadRequest
from portal.core.policy import Rule, authorize

DEFAULT_CLASS = "default"


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
    """Of a project, or of the user in it whom ``user_id`` names."""

    query: ClassVar[frozenset[str] | None] = frozenset({"user_id"})

    @property
    def user_id(self) -> str | None:
        return self.params.get("user_id") or None

    def let_in(self, project_id: str, rule: Rule) -> None:
        authorize(self.ctx, rule, {"project_id": project_id})
        if project_id != self.ctx.project_id:
            limits.require_project(project_id)


class QuotaSetView(_QuotaBase):
    """GET, PUT and DELETE /os-quota-sets/{project}."""

    def get(self, request: Request, project_id: str) -> Response:
        self.let_in(project_id, policies.QUOTA_SHOW)
        return self._shown(project_id, usage_selectors.limits_of(project_id, self.user_id), with_id=True)

    def put(self, request: Request, project_id: str) -> Response:
        changes = read(QuotaUpdate, request.data, self.version)["quota_set"]
        changes.pop("tenant_id", None)
        wish = {"ctx": self.ctx, "project_id": project_id, "force": changes.pop("force", False), "changes": changes}
        after = user_limits.change(user_id=self.user_id, **wish) if self.user_id else limits.change(**wish)
        return self._shown(project_id, after, with_id=False)

    def delete(self, request: Request, project_id: str) -> Response:
        if self.user_id:
            user_limits.reset(ctx=self.ctx, project_id=project_id, user_id=self.user_id)
        else:
            limits.reset(ctx=self.ctx, project_id=project_id)
        return Response(status=202)

    def _shown(self, project_id: str, found: dict[str, int], *, with_id: bool) -> Response:
        body: dict[str, Any] = present.figures(found, self.version)
        return Response({"quota_set": {"id": project_id, **body} if with_id else body})


class QuotaSetDetailView(_QuotaBase):
    """GET /os-quota-sets/{project}/detail."""

    def get(self, request: Request, project_id: str) -> Response:
        self.let_in(project_id, policies.QUOTA_DETAIL)
        user_id = self.user_id
        used = usage_selectors.in_use_by(project_id, user_id)
        body = present.detailed(usage_selectors.limits_of(project_id, user_id), used, self.version)
        return Response({"quota_set": {"id": project_id, **body}})


class QuotaDefaultsView(_QuotaBase):
    """GET /os-quota-sets/{project}/defaults."""

    query = None

    def get(self, request: Request, project_id: str) -> Response:
        self.let_in(project_id, policies.QUOTA_DEFAULTS)
        return Response({"quota_set": {"id": project_id, **present.figures(quotas.defaults(), self.version)}})


class QuotaClassView(ComputeView):
    """GET and PUT /os-quota-class-sets/{name}: the only class that projects have, ``default``, holds the defaults."""

    def get(self, request: Request, name: str) -> Response:
        authorize(self.ctx, policies.QUOTA_CLASS_SHOW)
        body = present.quota_class(quotas.defaults(), self.version)
        return Response({"quota_class_set": {"id": name, **body}})

    def put(self, request: Request, name: str) -> Response:
        changes = read(QuotaClassUpdate, request.data, self.version)["quota_class_set"]
        if name != DEFAULT_CLASS:
            authorize(self.ctx, policies.QUOTA_CLASS_UPDATE)
            raise BadRequest(f"No project has quota class {name[:50]}; the only one that can be changed is {DEFAULT_CLASS}.")
        after = limits.change_defaults(ctx=self.ctx, changes=changes)
        return Response({"quota_class_set": present.quota_class(after, self.version)})
