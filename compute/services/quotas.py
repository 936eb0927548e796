"""What compute counts against a project's quota, and the admission of new servers."""

from accounts.services import quotas
from compute.models import Flavor
from compute.selectors import in_use
from portal.core.errors import QuotaExceeded

DEFAULTS = {
    "instances": 10,
    "cores": 20,
    "ram": 51200,
    "key_pairs": 100,
    "metadata_items": 128,
}


def declare() -> None:
    """Make compute's resources known to the quota service."""
    quotas.declare(DEFAULTS)


def admit_servers(project_id: str, flavor: Flavor, at_least: int, at_most: int) -> int:
    """Return how many of ``at_most`` servers the quota admits; raises QuotaExceeded below ``at_least``.

    The project stays locked until the caller's transaction ends, so that what was counted stays true.
    """
    quotas.lock(project_id)
    used, limits = in_use(project_id), quotas.limits(project_id)
    each = {"instances": 1, "cores": flavor.vcpus, "ram": flavor.ram_mb}
    rooms = [(limits[name] - used[name]) // cost for name, cost in each.items() if limits[name] >= 0]
    admitted = max(0, min([at_most, *rooms]))
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
