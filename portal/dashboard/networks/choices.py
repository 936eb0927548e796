"""The networks that one can choose from."""

from compute.network.models import Network
from compute.network.selectors import networks_visible
from compute.network.services import ports
from portal.core.context import RequestContext


def attachable(ctx: RequestContext, project_id: str) -> list[Network]:
    """Return the networks to which an instance of a project can be attached, as far as the caller sees them."""
    usable = [network.pk for network in ports.usable_networks(project_id)]
    return list(networks_visible(ctx).filter(pk__in=usable))


def label_of(network: Network) -> str:
    """Return a network with its ranges."""
    ranges = ", ".join(subnet.cidr for subnet in network.subnets.all())
    return f"{network} ({ranges})" if ranges else str(network)
