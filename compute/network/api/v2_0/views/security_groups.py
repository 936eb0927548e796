"""/v2.0/security-groups, /v2.0/security-group-rules and one of each."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from compute.network import selectors
from compute.network.api.v2_0 import bodies, presenters
from compute.network.api.v2_0.base import Attribute, CollectionView, MemberView, ResourceView, number
from compute.network.models import SecurityGroup, SecurityGroupRule
from compute.network.services import security_group_rules, security_groups
from portal.core.context import RequestContext

_COMMON = {
    "id": Attribute("id"),
    "description": Attribute("description"),
    "project_id": Attribute("project_id"),
    "tenant_id": Attribute("project_id"),
}


class _Groups(ResourceView):
    singular, plural, kind = "security_group", "security_groups", "SecurityGroup"
    attributes = {**_COMMON, "name": Attribute("name")}
    creation, changes = bodies.GroupCreate, bodies.GroupChanges

    def rows(self, ctx: RequestContext) -> QuerySet[SecurityGroup]:
        return selectors.security_groups_visible(ctx)

    def present(self, row: SecurityGroup) -> dict[str, Any]:
        return presenters.security_group(row)

    def create(self, values: Mapping[str, Any]) -> SecurityGroup:
        return security_groups.create(ctx=self.ctx, values=values)

    def change(self, row: SecurityGroup, values: Mapping[str, Any]) -> SecurityGroup:
        return security_groups.change(ctx=self.ctx, group=row, values=values)

    def remove(self, row: SecurityGroup) -> None:
        security_groups.delete(ctx=self.ctx, group=row)


class SecurityGroupsView(_Groups, CollectionView):
    """The caller's groups; a project that has none gets its ``default`` now."""

    def get(self, request: Request) -> Response:
        self.rows(self.ctx)  # the rule comes before the write
        if self.ctx.project_id:
            security_groups.ensure_default(self.ctx.project_id)
        return super().get(request)


class SecurityGroupView(_Groups, MemberView):
    """One group."""


class _Rules(ResourceView):
    singular, plural, kind = "security_group_rule", "security_group_rules", "SecurityGroupRule"
    attributes = {
        **_COMMON,
        "security_group_id": Attribute("security_group_id"),
        "remote_group_id": Attribute("remote_group_id"),
        "remote_ip_prefix": Attribute("remote_ip_prefix"),
        "direction": Attribute("direction"),
        "ethertype": Attribute("ethertype"),
        "protocol": Attribute("protocol"),
        "port_range_min": Attribute("port_range_min", number),
        "port_range_max": Attribute("port_range_max", number),
    }
    creation = bodies.RuleCreate

    def rows(self, ctx: RequestContext) -> QuerySet[SecurityGroupRule]:
        return selectors.security_group_rules_visible(ctx)

    def present(self, row: SecurityGroupRule) -> dict[str, Any]:
        return presenters.security_group_rule(row)

    def create(self, values: Mapping[str, Any]) -> SecurityGroupRule:
        group = selectors.get_security_group(self.ctx, values["security_group_id"])
        return security_group_rules.create(ctx=self.ctx, group=group, values=values)

    def remove(self, row: SecurityGroupRule) -> None:
        security_group_rules.delete(ctx=self.ctx, rule=row)


class SecurityGroupRulesView(_Rules, CollectionView):
    """The rules of the caller's groups."""


class SecurityGroupRuleView(_Rules, MemberView):
    """One rule; it can be deleted and not changed."""

    http_method_names = ["get", "head", "options", "delete"]
