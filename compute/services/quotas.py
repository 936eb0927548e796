"""What compute counts against a project's quota, and the admission of new servers."""

from accounts.services import quotas
from accounts.services.quotas import Resource
from compute.models import Flavor
from compute.selectors import in_use
from portal.core.errors import QuotaExceeded

# By the names of quota sets; behind them the names of unified limits (compute administration guide, "Manage Unified Limits Quotas").
RESOURCES = {
    "instances": Resource("compute", "servers", 10),
    "cores": Resource("compute", "class:VCPU", 20),
    "ram": Resource("compute", "class:MEMORY_MB", 51200),
    "key_pairs": Resource("compute", "server_key_pairs", 100),
    "metadata_items": Resource("compute", "server_metadata_items", 128),
}


def declare() -> None:
    """Make compute's resources known to the quota service."""
    quotas.declare(RESOURCES, in_use)


def admit_servers(project_id: str, flavor: Flavor, at_least: int, at_most: int) -> int:
    """Return how many of ``at_most`` servers the quota admits; raises QuotaExceeded below ``at_least``.

    The project stays locked until the caller's transaction ends, so that what was counted stays true.
    """
    quotas.lock(project_id)
    used = in_use([project_id])
    each = {"instances": 1, "cores": flavor.vcpus, "ram": flavor.ram_mb}
    rooms = quotas.rooms(project_id, used)
    admitted = min([at_most, *(left // each[name] for name, left in rooms.items())])
    if admitted < at_least:
        quotas.admit(project_id, {name: cost * at_least for name, cost in each.items()}, used)
    return admitted


def admit_metadata(project_id: str, metadata: dict[str, str]) -> None:
    """Let a server's metadata pass or raise: the limit is one server's."""
    limit = quotas.limits(project_id)["metadata_items"]
    if 0 <= limit < len(metadata):
        raise QuotaExceeded(f"Quota exceeded for metadata items: {len(metadata)} asked, {limit} allowed.")


def admit_keypair(project_id: str, used: int) -> None:
    """Let one more keypair of a user pass or raise."""
    limit = quotas.limits(project_id)["key_pairs"]
    if 0 <= limit <= used:
        raise QuotaExceeded("Quota exceeded, too many key pairs.")
