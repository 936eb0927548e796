"""Security groups in the network service's place, until 2.35 (compute API reference, "Security groups", "Rules for ...")."""

from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from compute import policies
from compute.api.v2_1.base import truth
from compute.api.v2_1.presenters import ports as present
from compute.api.v2_1.serializers import networks as bodies
from compute.api.v2_1.serializers.base import read
from compute.api.v2_1.views.network_proxies import ProxyView
from compute.network import selectors as network
from compute.network.models import SecurityGroup
from compute.network.services import security_group_rules, security_groups
from portal.core.api import paging
from portal.core.errors import BadRequest, Conflict, NotFound
from portal.core.policy import Rule

_PROTOCOLS = ("tcp", "udp", "icmp")
_MAX_ICMP, _MAX_PORT = 255, 65535


class _GroupsBase(ProxyView):
    def group(self, rule: Rule, group_id: str) -> SecurityGroup:
        self.let_in(rule)
        return network.get_security_group(self.ctx, uuid_of(group_id, "Security group id"))

    def shown(self, group: SecurityGroup) -> Response:
        fresh = network.get_security_group(self.ctx, group.pk)
        return Response({"security_group": present.security_group(fresh)})


class SecurityGroupsView(_GroupsBase):
    """GET and POST /os-security-groups."""

    def get(self, request: Request) -> Response:
        self.let_in(policies.SECURITY_GROUPS_INDEX)
        rows = network.security_groups_visible(self.ctx)
        if not (self.ctx.is_operator and truth(self.params.get("all_tenants", "0"), "all_tenants")):
            security_groups.ensure_default(self.ctx.project_id or "")
            rows = rows.filter(project_id=self.ctx.project_id)
        offset, limit = _whole(self.params.get("offset", "0")), paging.limit_of(self.params, 1000)
        groups = rows.order_by("project_id", "name", "pk")[offset : offset + limit]
        return Response({"security_groups": [present.security_group(group) for group in groups]})

    def post(self, request: Request) -> Response:
        self.let_in(policies.SECURITY_GROUPS_CREATE)
        wish = read(bodies.Group, request.data, self.version)["security_group"]
        return self.shown(security_groups.create(ctx=self.ctx, values=wish))


class SecurityGroupView(_GroupsBase):
    """GET, PUT and DELETE /os-security-groups/{id}."""

    def get(self, request: Request, group_id: str) -> Response:
        return self.shown(self.group(policies.SECURITY_GROUPS_SHOW, group_id))

    def put(self, request: Request, group_id: str) -> Response:
        group = self.group(policies.SECURITY_GROUPS_UPDATE, group_id)
        wish = read(bodies.Group, request.data, self.version)["security_group"]
        try:
            return self.shown(security_groups.change(ctx=self.ctx, group=group, values=wish))
        except Conflict as error:
            raise BadRequest(error.message) from error

    def delete(self, request: Request, group_id: str) -> Response:
        group = self.group(policies.SECURITY_GROUPS_DELETE, group_id)
        try:
            security_groups.delete(ctx=self.ctx, group=group)
        except Conflict as error:
            raise BadRequest(error.message) from error
        return Response(status=202)


class SecurityGroupRulesView(_GroupsBase):
    """POST /os-security-group-rules: what comes in, by range or by group."""

    def post(self, request: Request) -> Response:
        wish = read(bodies.GroupRule, request.data, self.version)["security_group_rule"]
        group = self.group(policies.SECURITY_GROUP_RULES_CREATE, wish["parent_group_id"])
        if wish.get("group_id"):
            network.get_security_group(self.ctx, wish["group_id"])
        try:
            rule = security_group_rules.create(ctx=self.ctx, group=group, values=rule_values(wish))
        except Conflict as error:
            raise BadRequest(error.message) from error
        return Response({"security_group_rule": present.security_group_rule(rule)})


class SecurityGroupRuleView(_GroupsBase):
    """DELETE /os-security-group-rules/{id}."""

    def delete(self, request: Request, rule_id: str) -> Response:
        self.let_in(policies.SECURITY_GROUP_RULES_DELETE)
        rule = network.security_group_rules_visible(self.ctx).filter(pk=uuid_of(rule_id, "Rule id")).first()
        if rule is None:
            raise NotFound("Security group rule", rule_id, f"Rule {rule_id} not found.")
        security_group_rules.delete(ctx=self.ctx, rule=rule)
        return Response(status=202)


def rule_values(wish: dict[str, Any]) -> dict[str, Any]:
    """Return the network service's words for a rule in compute's; raises BadRequest."""
    values: dict[str, Any] = {"direction": "ingress", "ethertype": "IPv4"}
    if wish.get("group_id"):
        values["remote_group_id"] = wish["group_id"]
        if not any(wish.get(name) for name in ("ip_protocol", "from_port", "to_port")):
            return values
    else:
        span = _span(wish.get("cidr"))
        values |= {"ethertype": f"IPv{span.version}"}
        if span.network.prefixlen:
            values["remote_ip_prefix"] = str(span)
    return values | _protocol(wish)


def uuid_of(word: str, what: str) -> str:
    """Return an id as it is kept; raises BadRequest for what is none."""
    try:
        return str(UUID(word))
    except ValueError as error:
        raise BadRequest(f"{what} should be uuid") from error


def _span(word: Any) -> IPv4Interface | IPv6Interface:
    try:
        return ip_interface(str(word or "0.0.0.0/0"))
    except ValueError as error:
        raise BadRequest(f"Invalid cidr {str(word)[:60]}.") from error


def _protocol(wish: dict[str, Any]) -> dict[str, Any]:
    protocol = str(wish.get("ip_protocol") or "").lower()
    if protocol not in _PROTOCOLS:
        raise BadRequest(f"Invalid IP protocol {protocol[:60]}.")
    first, last = _port(wish.get("from_port")), _port(wish.get("to_port"))
    if protocol == "icmp":
        if not (-1 <= first <= _MAX_ICMP and -1 <= last <= _MAX_ICMP) or (first == -1 and last != -1):
            raise BadRequest(f"Invalid port range {first}:{last}. Valid values for ICMP are -1 to {_MAX_ICMP}.")
        return {"protocol": protocol, "port_range_min": _any(first), "port_range_max": _any(last)}
    if first > last:
        raise BadRequest(f"Invalid port range {first}:{last}. Former value cannot be greater than the later")
    if not 1 <= first <= last <= _MAX_PORT:
        raise BadRequest(f"Invalid port range {first}:{last}. Valid {protocol.upper()} ports should be between 1-{_MAX_PORT}")
    return {"protocol": protocol, "port_range_min": first, "port_range_max": last}


def _any(number: int) -> int | None:
    return None if number == -1 else number


def _port(word: Any) -> int:
    text = str(word)
    if isinstance(word, bool) or not text.removeprefix("-").isdigit() or len(text) > 9:
        raise BadRequest("Input 'from_port' and 'to_port' must be valid integers")
    return int(text)


def _whole(word: str) -> int:
    if not word.isascii() or not word.isdigit() or len(word) > 9:
        raise BadRequest(f"Invalid input for query parameters offset. Value: {word[:50]}.")
    return int(word)
