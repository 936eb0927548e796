"""Rules of security groups in plain words: "Incoming TCP 22 from anywhere (IPv4)"."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from compute.network.models import SecurityGroupRule

KNOWN_PORTS = {22: "SSH", 53: "DNS", 80: "HTTP", 443: "HTTPS", 3306: "MySQL", 3389: "RDP", 5432: "PostgreSQL"}
_ANYWHERE = (None, "0.0.0.0/0", "::/0")
_ICMP = ("icmp", "1", "icmpv6", "ipv6-icmp", "58")


@dataclass(frozen=True)
class RuleLine:
    """A rule as pages show it; ``name`` is the traffic alone, for headings."""

    rule: SecurityGroupRule
    name: str
    sentence: str
    service: str = ""

    @property
    def pk(self) -> str:
        return self.rule.pk

    @property
    def incoming(self) -> bool:
        return self.rule.direction == "ingress"

    def policy_target(self) -> dict[str, Any]:
        """Return what rules of the policy can speak about."""
        return self.rule.policy_target()


def line_of(rule: SecurityGroupRule) -> RuleLine:
    """Return a rule in words."""
    single = rule.port_range_min if rule.port_range_min == rule.port_range_max and rule.protocol in ("tcp", "6") else None
    return RuleLine(rule, traffic(rule), sentence(rule), KNOWN_PORTS.get(single or 0, ""))


def lines_of(rules: Iterable[SecurityGroupRule]) -> list[RuleLine]:
    """Return rules in words: what comes in first, each direction as it was written."""
    return sorted((line_of(rule) for rule in rules), key=lambda line: not line.incoming)


def sentence(rule: SecurityGroupRule) -> str:
    """Return the whole rule."""
    facts = {"traffic": traffic(rule), "peer": peer(rule)}
    if rule.direction == "ingress":
        return _("Incoming %(traffic)s from %(peer)s") % facts
    return _("Outgoing %(traffic)s to %(peer)s") % facts


def traffic(rule: SecurityGroupRule) -> str:
    """Return protocol and ports: TCP 22, UDP 5000–5010, traffic of any kind."""
    if rule.protocol is None:
        return _("traffic of any kind")
    name = rule.protocol.upper() if not rule.protocol.isdigit() else _("protocol %(number)s") % {"number": rule.protocol}
    first, last = rule.port_range_min, rule.port_range_max
    if first is None:
        return name
    if rule.protocol in _ICMP:
        kind = _("%(protocol)s type %(kind)d") % {"protocol": name, "kind": first}
        return kind if last is None else _("%(type)s code %(code)d") % {"type": kind, "code": last}
    return f"{name} {first}" if first == last else f"{name} {first}–{last}"


def peer(rule: SecurityGroupRule) -> str:
    """Return whom the rule is about."""
    if rule.remote_group is not None:
        if rule.remote_group_id == rule.security_group_id:
            return _("members of this group (%(version)s)") % {"version": rule.ethertype}
        return _("group %(name)s (%(version)s)") % {"name": rule.remote_group.name, "version": rule.ethertype}
    if rule.remote_ip_prefix in _ANYWHERE:
        return _("anywhere (%(version)s)") % {"version": rule.ethertype}
    return str(rule.remote_ip_prefix)
