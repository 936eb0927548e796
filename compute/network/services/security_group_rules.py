"""Rules of security groups: what may be said, and what is said already (Networking API, "Security group rules")."""

from collections.abc import Mapping
from ipaddress import ip_interface
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from compute.network import policies
from compute.network.models import SecurityGroup, SecurityGroupRule
from compute.network.protocols import PROTOCOLS, number_of
from compute.network.services import hosts, quotas
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Conflict, NotFound
from portal.core.policy import authorize

_WITH_PORTS = frozenset({6, 17, 33, 132, 136})
_ICMP = 1
_ICMP_V6 = frozenset({"icmpv6", "ipv6-icmp", "58"})
_ANY = frozenset({None, "any", ""})
_MAX_PORT = 65535
_MAX_ICMP = 255
_ONLY_V6 = frozenset({"ipv6-frag", "ipv6-nonxt", "ipv6-opts", "ipv6-route"}) | _ICMP_V6


@transaction.atomic
def create(*, ctx: RequestContext, group: SecurityGroup, values: Mapping[str, Any]) -> SecurityGroupRule:
    """Return a new rule of a group; hosts follow it at once."""
    rule = SecurityGroupRule(
        security_group=group,
        project_id=group.project_id,
        description=values.get("description") or "",
        direction=values["direction"],
        ethertype=values.get("ethertype") or "IPv4",
        protocol=_protocol(values.get("protocol")),
        port_range_min=values.get("port_range_min"),
        port_range_max=values.get("port_range_max"),
        remote_ip_prefix=values.get("remote_ip_prefix") or None,
        remote_group_id=values.get("remote_group_id") or None,
    )
    authorize(ctx, policies.CREATE_SECURITY_GROUP_RULE, rule)
    quotas.admit(rule.project_id, "security_group_rule")
    _check_protocol(rule)
    _check_ports(rule)
    _check_remote(ctx, rule)
    SecurityGroup.objects.select_for_update().get(pk=group.pk)
    alike = SecurityGroupRule.objects.filter(security_group=group, direction=rule.direction, ethertype=rule.ethertype)
    same = next((other for other in alike if _meaning(other) == _meaning(rule)), None)
    if same is not None:
        raise Conflict(
            _("Security group rule already exists. Rule id is %(id)s.") % {"id": same.pk}, "SecurityGroupRuleExists"
        )
    rule.save(force_insert=True)
    hosts.refresh(ports=[], groups=[group])
    return rule


@transaction.atomic
def delete(*, ctx: RequestContext, rule: SecurityGroupRule) -> None:
    """Take a rule away; hosts follow at once, connections that it let in included."""
    authorize(ctx, policies.DELETE_SECURITY_GROUP_RULE, rule)
    group = rule.security_group
    rule.delete()
    hosts.refresh(ports=[], groups=[group])


def _meaning(rule: SecurityGroupRule) -> tuple[object, ...]:
    """Return what a rule lets through, however it was written: protocols by number, every port and every address as none."""
    number = number_of(rule.protocol) if rule.protocol else None
    ports = (rule.port_range_min, rule.port_range_max)
    if number in _WITH_PORTS and ports == (1, _MAX_PORT):
        ports = (None, None)
    span = ip_interface(rule.remote_ip_prefix).network if rule.remote_ip_prefix else None
    return number, ports, span if span and span.prefixlen else None, rule.remote_group_id


def _protocol(word: Any) -> str | None:
    """Return the protocol in small letters, or None for any; raises BadRequest."""
    if word in _ANY or (isinstance(word, str) and word.lower() == "any"):
        return None
    name = str(word).lower()
    number = name.isascii() and name.isdigit() and len(name) <= 3 and int(name) <= 255
    if not number and name not in PROTOCOLS:
        raise BadRequest(
            _(
                "Security group rule protocol %(name)s not supported. "
                "Only protocol values %(protocols)s and integer representations [0 to 255] are supported."
            )
            % {"name": name[:60], "protocols": sorted(PROTOCOLS)},
            "SecurityGroupRuleInvalidProtocol",
        )
    return str(int(name)) if number else name


def _check_protocol(rule: SecurityGroupRule) -> None:
    if rule.protocol in _ONLY_V6 and rule.ethertype == "IPv4":
        words = _("Invalid ethertype %(ethertype)s for protocol %(protocol)s.") % {
            "ethertype": rule.ethertype,
            "protocol": rule.protocol,
        }
        raise BadRequest(words, "SecurityGroupEthertypeConflictWithProtocol")


def _check_ports(rule: SecurityGroupRule) -> None:
    first, last = rule.port_range_min, rule.port_range_max
    if first is None and last is None:
        return
    for port in (first, last):
        if port is not None and not 0 <= port <= _MAX_PORT:
            raise BadRequest(_("Invalid value for port %(port)s.") % {"port": port}, "SecurityGroupInvalidPortValue")
    if rule.protocol is None:
        raise BadRequest(_("Must also specify protocol if port range is given."), "SecurityGroupProtocolRequiredWithPorts")
    number = number_of(rule.protocol)
    if number == _ICMP or rule.protocol in _ICMP_V6:
        _check_icmp(first, last)
    elif number not in _WITH_PORTS:
        raise BadRequest(
            _("Invalid port for protocol %(protocol)s: it has no ports.") % {"protocol": rule.protocol},
            "SecurityGroupInvalidProtocolForPort",
        )
    elif 0 in (first, last):
        raise BadRequest(_("Invalid value for port 0."), "SecurityGroupInvalidPortValue")
    elif first is None or last is None or first > last:
        words = _("For TCP/UDP protocols, port_range_min must be <= port_range_max")
        raise BadRequest(words, "SecurityGroupInvalidPortRange")


def _check_icmp(kind: int | None, code: int | None) -> None:
    if kind is not None and kind > _MAX_ICMP:
        words = _("Invalid value for ICMP type (port-range-min) %(value)s. It must be 0 to %(most)s.")
        raise BadRequest(words % {"value": kind, "most": _MAX_ICMP}, "SecurityGroupInvalidIcmpValue")
    if code is not None and code > _MAX_ICMP:
        words = _("Invalid value for ICMP code (port-range-max) %(value)s. It must be 0 to %(most)s.")
        raise BadRequest(words % {"value": code, "most": _MAX_ICMP}, "SecurityGroupInvalidIcmpValue")
    if kind is None and code is not None:
        words = _("ICMP code (port-range-max) %(code)s is provided but ICMP type (port-range-min) is missing.") % {
            "code": code
        }
        raise BadRequest(words, "SecurityGroupMissingIcmpType")


def _check_remote(ctx: RequestContext, rule: SecurityGroupRule) -> None:
    if rule.remote_ip_prefix and rule.remote_group_id:
        words = _("Only remote_ip_prefix or remote_group_id may be provided.")
        raise BadRequest(words, "SecurityGroupRemoteGroupAndRemoteIpPrefix")
    if rule.remote_group_id:
        found = SecurityGroup.objects.filter(pk=rule.remote_group_id)
        if not (found if ctx.is_operator else found.filter(project_id=rule.project_id)).exists():
            raise NotFound(
                "SecurityGroup",
                rule.remote_group_id,
                _("Security group %(group)s does not exist") % {"group": rule.remote_group_id},
            )
    if rule.remote_ip_prefix:
        rule.remote_ip_prefix = _prefix(rule.remote_ip_prefix, rule.ethertype)


def _prefix(word: str, ethertype: str) -> str:
    """Return the range as it was written, a single address with its length."""
    try:
        span = ip_interface(word)
    except ValueError as error:
        raise BadRequest(
            _("Remote IP prefix %(prefix)s is not a valid CIDR.") % {"prefix": word[:60]}, "InvalidCIDR"
        ) from error
    if f"IPv{span.version}" != ethertype:
        words = _("Conflicting value ethertype %(ethertype)s for CIDR %(span)s") % {"ethertype": ethertype, "span": span}
        raise BadRequest(words, "SecurityGroupRuleParameterConflict")
    return str(span)
