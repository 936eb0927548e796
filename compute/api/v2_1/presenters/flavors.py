"""Flavors as the compute API shows them (compute API reference, "Flavors")."""

from typing import Any

from compute.api.v2_1 import versions
from compute.api.v2_1.base import Addresses
from compute.models import Flavor
from portal.core.versions import Version


def brief(flavor: Flavor, addresses: Addresses, version: Version) -> dict[str, Any]:
    """Return the flavor as the short list shows it."""
    body: dict[str, Any] = {
        "id": flavor.flavor_id,
        "name": flavor.name,
        "links": addresses.links(f"flavors/{flavor.flavor_id}"),
    }
    if version >= versions.FLAVOR_DESCRIPTION:
        body["description"] = flavor.description
    return body


def detail(flavor: Flavor, addresses: Addresses, version: Version, *, with_specs: bool) -> dict[str, Any]:
    """Return the whole document; extra specs from 2.61 and only for those who may list them."""
    body = {
        **brief(flavor, addresses, version),
        "ram": flavor.ram_mb,
        "disk": flavor.root_gb,
        "vcpus": flavor.vcpus,
        "swap": flavor.swap_mb or (0 if version >= versions.STRICT else ""),
        "OS-FLV-EXT-DATA:ephemeral": flavor.ephemeral_gb,
        "os-flavor-access:is_public": flavor.is_public,
    }
    if version < versions.STRICT_EVERYWHERE:
        body |= {"OS-FLV-DISABLED:disabled": flavor.disabled, "rxtx_factor": flavor.rxtx_factor}
    if version >= versions.FLAVOR_EXTRA_SPECS and with_specs:
        body["extra_specs"] = flavor.extra_specs
    return body


def access(flavor: Flavor, projects: list[str]) -> dict[str, Any]:
    """Return who may use a flavor that is not public."""
    return {"flavor_access": [{"flavor_id": flavor.flavor_id, "tenant_id": project} for project in projects]}
