"""The commands that make security groups and rules."""

from collections.abc import Mapping
from typing import Any

from compute.network.models import SecurityGroup
from portal.dashboard.kit.commands import Commands, curl, openstack, terraform
from portal.dashboard.security_groups.actions import GROUPS_PATH, RULES_PATH

_FLAGS = {"remote_ip_prefix": "--remote-ip", "remote_group_id": "--remote-group", "description": "--description"}


def new_group(name: str) -> Commands:
    """Return the three ways to make a group."""
    return Commands(
        openstack("security", "group", "create", name),
        curl("POST", GROUPS_PATH, {"security_group": {"name": name}}),
        terraform("openstack_networking_secgroup_v2", name, name=name),
    )


def new_rule(group: SecurityGroup, values: Mapping[str, Any]) -> Commands:
    """Return the three ways to add a rule with these values."""
    rule = {name: value for name, value in values.items() if value not in (None, "")}
    words: list[object] = ["security", "group", "rule", "create", group.pk]
    words += [f"--{rule['direction']}"] if rule["direction"] != "ingress" else []
    words += ["--ethertype", rule["ethertype"]] if rule["ethertype"] != "IPv4" else []
    words += ["--protocol", rule.get("protocol", "any")]
    if "port_range_min" in rule:
        first, last = rule["port_range_min"], rule["port_range_max"]
        words += ["--dst-port", first if first == last else f"{first}:{last}"]
    for name, flag in _FLAGS.items():
        words += [flag, rule[name]] if name in rule else []
    return Commands(
        openstack(*words),
        curl("POST", RULES_PATH, {"security_group_rule": {"security_group_id": group.pk, **rule}}),
        terraform("openstack_networking_secgroup_rule_v2", "rule", security_group_id=group.pk, **rule),
    )
