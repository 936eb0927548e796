"""Limits as the compute API shows them: "Limits" and "Quota sets" of the compute API reference.

What this cloud does not offer has the limit 0; what another service counts has no limit here.
"""

from collections.abc import Mapping
from typing import Any

from compute.api.v2_1 import versions
from compute.selectors import Usage
from portal.core.versions import Version

UNLIMITED = -1
_NOT_OFFERED = {"floating_ips": 0}
_ELSEWHERE = dict.fromkeys(("fixed_ips", "security_groups", "security_group_rules"), UNLIMITED)
_PROXIED = frozenset({"fixed_ips", "floating_ips", "security_groups", "security_group_rules"})
_INJECTED = frozenset({"injected_files", "injected_file_content_bytes", "injected_file_path_bytes"})
_GROUPS = frozenset({"server_groups", "server_group_members"})
_OWN = ("instances", "cores", "ram", "key_pairs", "metadata_items", *sorted(_GROUPS), *sorted(_INJECTED))


def figures(limits: Mapping[str, int], version: Version) -> dict[str, int]:
    """Return the limit of every resource that a quota set has at this version."""
    every = _every(limits)
    gone = (_PROXIED if version >= versions.NO_NETWORK_PROXY else frozenset()) | (
        _INJECTED if version >= versions.NO_PERSONALITY else frozenset()
    )
    return {name: limit for name, limit in every.items() if name not in gone}


def quota_class(limits: Mapping[str, int], version: Version) -> dict[str, int]:
    """Return the limits of a quota class: what other services count left it with 2.50, when server groups came."""
    gone = _INJECTED if version >= versions.NO_PERSONALITY else frozenset()
    gone |= _PROXIED if version >= versions.GROUP_QUOTAS else _GROUPS
    return {name: limit for name, limit in _every(limits).items() if name not in gone}


def _every(limits: Mapping[str, int]) -> dict[str, int]:
    return {**_NOT_OFFERED, **_ELSEWHERE, **{name: limits[name] for name in _OWN}}


def detailed(limits: Mapping[str, int], used: Mapping[str, int], version: Version) -> dict[str, Any]:
    """Return each limit beside what is used."""
    return {
        name: {"limit": limit, "in_use": used.get(name, 0), "reserved": 0} for name, limit in figures(limits, version).items()
    }


def absolute(limits: Mapping[str, int], usage: Mapping[str, Usage], version: Version, groups: int) -> dict[str, int]:
    """Return the absolute limits of a project with what it uses; ``groups`` is how many server groups it has."""
    body = {
        "maxServerMeta": limits["metadata_items"],
        "maxTotalInstances": limits["instances"],
        "maxTotalCores": limits["cores"],
        "maxTotalRAMSize": limits["ram"],
        "maxTotalKeypairs": limits["key_pairs"],
        "maxServerGroups": limits["server_groups"],
        "maxServerGroupMembers": limits["server_group_members"],
        "totalInstancesUsed": usage["instances"].used,
        "totalCoresUsed": usage["cores"].used,
        "totalRAMUsed": usage["ram"].used,
        "totalServerGroupsUsed": groups,
    }
    if version < versions.NO_NETWORK_PROXY:
        body |= {"maxSecurityGroups": UNLIMITED, "maxSecurityGroupRules": UNLIMITED, "totalSecurityGroupsUsed": 0}
        body |= {"maxTotalFloatingIps": 0, "totalFloatingIpsUsed": 0}
    if version < versions.NO_IMAGE_PROXY:
        body["maxImageMeta"] = limits["metadata_items"]
    if version < versions.NO_PERSONALITY:
        body |= {
            "maxPersonality": limits["injected_files"],
            "maxPersonalitySize": limits["injected_file_content_bytes"],
        }
    return body
