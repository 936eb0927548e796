"""A network with its first range, as people want it: both or neither."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from compute.network.models import Network
from compute.network.services import networks, subnets
from portal.core.context import RequestContext


@transaction.atomic
def create(*, ctx: RequestContext, values: Mapping[str, Any], cidr: str) -> Network:
    """Return a new network that servers can use at once."""
    network = networks.create(ctx=ctx, values=values)
    subnets.create(ctx=ctx, network=network, values={"cidr": cidr, "name": f"{network.name}-subnet"[:255]})
    return network
