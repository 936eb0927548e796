"""GET /v2.0/networks and /v2.0/networks/{id}."""

from typing import Any

from django.db.models import QuerySet

from compute.network import selectors
from compute.network.api.v2_0 import presenters
from compute.network.api.v2_0.base import Attribute, CollectionView, MemberView, ResourceView, boolean, number
from compute.network.models import Network
from portal.core.context import RequestContext


class _Networks(ResourceView):
    singular, plural, kind = "network", "networks", "Network"
    attributes = {
        "id": Attribute("id"),
        "name": Attribute("name"),
        "description": Attribute("description"),
        "project_id": Attribute("project_id"),
        "tenant_id": Attribute("project_id"),
        "admin_state_up": Attribute("admin_state_up", boolean),
        "status": Attribute("status"),
        "shared": Attribute("shared", boolean),
        "router:external": Attribute("external", boolean),
        "mtu": Attribute("mtu", number),
        "subnets": Attribute("subnets", sortable=False),
    }

    def rows(self, ctx: RequestContext) -> QuerySet[Network]:
        return selectors.networks_visible(ctx)

    def present(self, row: Network) -> dict[str, Any]:
        return presenters.network(row)


class NetworksView(_Networks, CollectionView):
    """The networks that the caller sees."""


class NetworkView(_Networks, MemberView):
    """One network."""
