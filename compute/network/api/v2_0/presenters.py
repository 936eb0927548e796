"""The network service's rows as the Networking API shows them."""

from datetime import datetime
from typing import Any

from compute.network.models import Network, Port, SecurityGroup, SecurityGroupRule, Subnet

NO_PROVIDER = ("provider:physical_network", "provider:segmentation_id")
PROVIDER = ("provider:network_type", *NO_PROVIDER)


def moment(value: datetime) -> str:
    """Return a time as this API writes it."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


def _common(row: Network | Subnet | Port | SecurityGroup | SecurityGroupRule) -> dict[str, Any]:
    return {
        "id": row.id,
        "project_id": row.project_id,
        "tenant_id": row.project_id,
        "description": row.description,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
    }


def network(row: Network, *, with_type: bool) -> dict[str, Any]:
    """Networking API, "Networks"; how hosts make it only for those whom the rule lets see it."""
    provider = {"provider:network_type": row.network_type} | dict.fromkeys(NO_PROVIDER) if with_type else {}
    return {
        **_common(row),
        "name": row.name,
        "admin_state_up": row.admin_state_up,
        "status": row.status,
        "shared": row.shared,
        "router:external": row.external,
        "mtu": row.mtu,
        "port_security_enabled": row.port_security_enabled,
        **provider,
        "subnets": [subnet.id for subnet in row.subnets.all()],
    }


def subnet(row: Subnet) -> dict[str, Any]:
    """Networking API, "Subnets"."""
    return {
        **_common(row),
        "name": row.name,
        "network_id": row.network_id,
        "ip_version": row.ip_version,
        "cidr": row.cidr,
        "gateway_ip": row.gateway_ip,
        "allocation_pools": row.allocation_pools,
        "enable_dhcp": row.enable_dhcp,
        "dns_nameservers": row.dns_nameservers,
        "host_routes": row.host_routes,
        "ipv6_address_mode": None,
        "ipv6_ra_mode": None,
        "subnetpool_id": None,
    }


def port(row: Port, *, with_host: bool) -> dict[str, Any]:
    """Networking API, "Ports"; the host only for those whom the rule lets see it."""
    body = {
        **_common(row),
        "name": row.name,
        "network_id": row.network_id,
        "admin_state_up": row.admin_state_up,
        "status": row.status,
        "mac_address": row.mac_address,
        "device_id": row.device_id,
        "device_owner": row.device_owner,
        "fixed_ips": [{"subnet_id": item.subnet_id, "ip_address": item.address} for item in row.fixed_addresses.all()],
        "allowed_address_pairs": row.allowed_address_pairs,
        "port_security_enabled": row.port_security_enabled,
        "security_groups": [group.id for group in row.security_groups.all()],
        "binding:vnic_type": "normal",
    }
    if with_host:
        body |= {"binding:host_id": row.host, "binding:vif_type": "bridge" if row.host else "unbound"}
        body |= {"binding:vif_details": {}, "binding:profile": {}}
    return body


def security_group(row: SecurityGroup) -> dict[str, Any]:
    """Networking API, "Security groups"."""
    return {
        **_common(row),
        "name": row.name,
        "stateful": True,
        "security_group_rules": [security_group_rule(rule) for rule in row.rules.all()],
    }


def security_group_rule(row: SecurityGroupRule) -> dict[str, Any]:
    """Networking API, "Security group rules"."""
    return {
        **_common(row),
        "security_group_id": row.security_group_id,
        "remote_group_id": row.remote_group_id,
        "remote_ip_prefix": row.remote_ip_prefix,
        "normalized_cidr": row.normalized_cidr,
        "direction": row.direction,
        "ethertype": row.ethertype,
        "protocol": row.protocol,
        "port_range_min": row.port_range_min,
        "port_range_max": row.port_range_max,
    }
