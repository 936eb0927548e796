"""Ports and security groups of a server as the compute API shows them."""

from typing import Any

from compute.network.models import Port, SecurityGroup, SecurityGroupRule


def interface(port: Port, *, with_tag: bool) -> dict[str, Any]:
    """Compute API reference, "Port interfaces"."""
    body = {
        "port_state": port.status,
        "port_id": port.pk,
        "net_id": port.network_id,
        "mac_addr": port.mac_address,
        "fixed_ips": [{"subnet_id": item.subnet_id, "ip_address": item.address} for item in port.fixed_addresses.all()],
    }
    return body | ({"tag": port.tag} if with_tag else {})


def security_group(group: SecurityGroup) -> dict[str, Any]:
    """Compute API reference, "List Security Groups By Server"; only what comes in has a form there."""
    return {
        "id": group.pk,
        "name": group.name,
        "description": group.description,
        "tenant_id": group.project_id,
        "rules": [security_group_rule(rule) for rule in group.rules.all() if rule.direction == "ingress"],
    }


def security_group_rule(rule: SecurityGroupRule) -> dict[str, Any]:
    """Compute API reference, "Rules for security group": from a range, or from the members of a group."""
    first, last = _ports(rule)
    remote = rule.remote_group
    anywhere = "::/0" if rule.ethertype == "IPv6" else "0.0.0.0/0"
    return {
        "id": rule.pk,
        "parent_group_id": rule.security_group_id,
        "ip_protocol": rule.protocol,
        "from_port": first,
        "to_port": last,
        "group": {"tenant_id": remote.project_id, "name": remote.name} if remote else {},
        "ip_range": {} if remote else {"cidr": rule.remote_ip_prefix or anywhere},
    }


def _ports(rule: SecurityGroupRule) -> tuple[int | None, int | None]:
    """Return the two numbers of a rule; a protocol without any means all that it has."""
    if rule.protocol is not None and rule.port_range_min is None and rule.port_range_max is None:
        return (1, 65535) if rule.protocol in ("tcp", "udp") else (-1, -1)
    return rule.port_range_min, -1 if rule.protocol == "icmp" and rule.port_range_max is None else rule.port_range_max
