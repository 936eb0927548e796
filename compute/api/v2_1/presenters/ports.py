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
        "rules": [_rule(rule, group) for rule in group.rules.all() if rule.direction == "ingress"],
    }


def _rule(rule: SecurityGroupRule, group: SecurityGroup) -> dict[str, Any]:
    from_group = {"tenant_id": group.project_id, "name": group.name} if rule.remote_group_id == group.pk else {}
    return {
        "id": rule.pk,
        "parent_group_id": rule.security_group_id,
        "ip_protocol": rule.protocol,
        "from_port": rule.port_range_min,
        "to_port": rule.port_range_max,
        "group": from_group,
        "ip_range": {"cidr": rule.remote_ip_prefix} if rule.remote_ip_prefix else {},
    }
