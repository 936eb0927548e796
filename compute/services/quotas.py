"""What compute counts against a project's quota, and the admission of new servers."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from accounts.services import quotas
from accounts.services.quotas import Resource
from compute.models import Flavor, Server
from compute.selectors import in_use
from compute.usage_selectors import in_use_by, limits_of, user_limits
from portal.core.errors import QuotaExceeded

# By the names of quota sets; behind them the names of unified limits (compute administration guide, "Manage Unified Limits Quotas").
RESOURCES = {
    "instances": Resource("compute", "servers", 10),
    "cores": Resource("compute", "class:VCPU", 20),
    "ram": Resource("compute", "class:MEMORY_MB", 51200),
    "key_pairs": Resource("compute", "server_key_pairs", 100),
    "metadata_items": Resource("compute", "server_metadata_items", 128),
    "server_groups": Resource("compute", "server_groups", 10),
    "server_group_members": Resource("compute", "server_group_members", 10),
    "injected_files": Resource("compute", "server_injected_files", 5),
    "injected_file_content_bytes": Resource("compute", "server_injected_file_content_bytes", 10240),
    "injected_file_path_bytes": Resource("compute", "server_injected_file_path_bytes", 255),
    # These limit nothing: addresses and security groups are the network service's, but older clients read and set them here.
    "fixed_ips": Resource("compute", "fixed_ips", quotas.UNLIMITED),
    "floating_ips": Resource("compute", "floating_ips", quotas.UNLIMITED),
    "security_groups": Resource("compute", "security_groups", quotas.UNLIMITED),
    "security_group_rules": Resource("compute", "security_group_rules", quotas.UNLIMITED),
}


def declare() -> None:
    """Make compute's resources known to the quota service."""
    quotas.declare(RESOURCES, in_use)


def admit_servers(project_id: str, flavor: Flavor, at_least: int, at_most: int, *, user_id: str = "") -> int:
    """Return how many of ``at_most`` servers the quota admits, the project's and the user's; raises QuotaExceeded below ``at_least``.

    The project stays locked until the caller's transaction ends, so that what was counted stays true.
    """
    quotas.lock(project_id)
    used = in_use([project_id])
    each = {"instances": 1, "cores": flavor.vcpus, "ram": flavor.ram_mb}
    wanted = {name: cost * at_least for name, cost in each.items()}
    rooms = quotas.rooms(project_id, used)
    admitted = min([at_most, *(left // each[name] for name, left in rooms.items())])
    if admitted < at_least:
        quotas.admit(project_id, wanted, used)
    own = admit_user(project_id, user_id, wanted)
    return min([admitted, *(left // each[name] for name, left in own.items())])


def admit_user(project_id: str, user_id: str, wanted: Mapping[str, int]) -> dict[str, int]:
    """Return what is left of the limits that a user has of his own; raises QuotaExceeded where ``wanted`` is more.

    The caller holds the project's lock.
    """
    own = {name: limit for name, limit in user_limits(project_id, user_id).items() if name in wanted and limit >= 0}
    if not own:
        return {}
    used = in_use_by(project_id, user_id)
    quotas.require_within(wanted, used, own)
    return {name: limit - used[name] for name, limit in own.items()}


def admit_growth(server: Server, flavor: Flavor | Server) -> None:
    """Let a server's change to a larger size pass or raise; the project stays locked until the caller's transaction ends."""
    quotas.lock(server.project_id)
    more = {"cores": max(0, flavor.vcpus - server.vcpus), "ram": max(0, flavor.ram_mb - server.ram_mb)}
    quotas.admit(server.project_id, more, in_use([server.project_id]))
    admit_user(server.project_id, server.user_id, more)


def admit_metadata(project_id: str, metadata: dict[str, str]) -> None:
    """Let a server's metadata pass or raise: the limit is one server's."""
    limit = quotas.limits(project_id)["metadata_items"]
    if 0 <= limit < len(metadata):
        raise QuotaExceeded(_("Maximum number of metadata items exceeds %(limit)s") % {"limit": limit})


def admit_image_metadata(project_id: str, metadata: Mapping[str, str]) -> None:
    """Let an image's properties pass or raise, when they come by the compute API: the limit is that of servers."""
    if not _fits(quotas.limits(project_id)["metadata_items"], len(metadata)):
        raise QuotaExceeded(_("Image metadata limit exceeded"))


def admit_keypair(project_id: str, user_id: str, used: int) -> None:
    """Let one more keypair of a user pass or raise."""
    limit = limits_of(project_id, user_id)["key_pairs"]
    if 0 <= limit <= used:
        raise QuotaExceeded(_("Quota exceeded, too many key pairs."))


def admit_group(project_id: str, used: int) -> None:
    """Let one more server group pass or raise."""
    if not _fits(quotas.limits(project_id)["server_groups"], used + 1):
        raise QuotaExceeded(_("Quota exceeded, too many server groups."))


def admit_group_members(project_id: str, members: int) -> None:
    """Let a server group have so many servers or raise."""
    if not _fits(quotas.limits(project_id)["server_group_members"], members):
        raise QuotaExceeded(_("Quota exceeded, too many servers in group"))


def admit_files(project_id: str, files: Sequence[Mapping[str, str]]) -> None:
    """Let the files that a server is born with pass or raise: the limits are one server's."""
    if not files:
        return
    limits = quotas.limits(project_id)
    if not _fits(limits["injected_files"], len(files)):
        raise QuotaExceeded(_("Personality file limit exceeded"))
    longest, path = limits["injected_file_path_bytes"], max(len(file["path"].encode()) for file in files)
    if not _fits(longest, path):
        raise QuotaExceeded(_("Personality file path exceeds maximum %(limit)s") % {"limit": longest})
    biggest, size = limits["injected_file_content_bytes"], max(len(file["contents"]) for file in files)
    if not _fits(biggest, size):
        raise QuotaExceeded(_("Personality file content exceeds maximum %(limit)s") % {"limit": biggest})


def _fits(limit: int, amount: int) -> bool:
    return limit == quotas.UNLIMITED or amount <= limit
