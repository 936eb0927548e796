"""Reads about what is used of networks: which a project can reach, and how many of their addresses are taken."""

from dataclasses import dataclass
from ipaddress import ip_address

from django.db.models import Count, Q, QuerySet

from compute.network.models import FixedAddress, Network, Subnet
from compute.network.selectors import networks_visible
from portal.core.context import RequestContext
from portal.core.errors import NotFound


@dataclass(frozen=True)
class RangeUse:
    """A range of a network with how many addresses its pools hold and how many ports have taken."""

    subnet: Subnet
    used: int
    total: int

    @property
    def free(self) -> int:
        return max(0, self.total - self.used)

    @property
    def percent(self) -> int:
        return min(100, 100 * self.used // self.total) if self.total else 100


def networks_in_reach(ctx: RequestContext) -> QuerySet[Network]:
    """Return the networks of the project in use and the shared ones, each with ``port_count``."""
    mine = networks_visible(ctx).filter(Q(project_id=ctx.project_id) | Q(shared=True))
    return mine.annotate(port_count=Count("ports"))


def get_network_in_reach(ctx: RequestContext, network_id: str) -> Network:
    """Return one of these networks; any other id is simply not found."""
    found = networks_in_reach(ctx).filter(pk=network_id).first()
    if found is None:
        raise NotFound("Network", network_id)
    return found


def ranges_of(networks: list[Network]) -> dict[str, list[RangeUse]]:
    """Return the ranges of each network with what is used of them, with one query for networks that know their subnets."""
    taken = FixedAddress.objects.filter(subnet__network__in=networks).order_by().values_list("subnet")
    used = dict(taken.annotate(number=Count("pk")))
    return {
        network.pk: [RangeUse(subnet, used.get(subnet.pk, 0), _capacity(subnet)) for subnet in network.subnets.all()]
        for network in networks
    }


def _capacity(subnet: Subnet) -> int:
    """Return how many addresses the pools hold for ports: one may be the hosts' own."""
    pools = [(ip_address(pool["start"]), ip_address(pool["end"])) for pool in subnet.allocation_pools]
    kept = ip_address(subnet.host_address)
    return sum(int(last) - int(first) + 1 - (int(first) <= int(kept) <= int(last)) for first, last in pools)
