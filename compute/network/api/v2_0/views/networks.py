"""/v2.0/networks and /v2.0/networks/{id}."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from django.db.models import Q, QuerySet

from compute.network import policies, selectors
from compute.network.api.v2_0 import bodies, presenters
from compute.network.api.v2_0.base import Attribute, CollectionView, MemberView, ResourceView, boolean, number
from compute.network.models import Network
from compute.network.services import networks
from portal.core.context import RequestContext
from portal.core.policy import allowed


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
        "port_security_enabled": Attribute("port_security_enabled", boolean),
        "subnets": Attribute("subnets", sortable=False),
        "provider:network_type": Attribute("network_type"),
    }

    creation, changes = bodies.NetworkCreate, bodies.NetworkChanges

    def rows(self, ctx: RequestContext) -> QuerySet[Network]:
        return selectors.networks_visible(ctx)

    def present(self, row: Network) -> dict[str, Any]:
        return presenters.network(row, with_type=self.with_type)

    @cached_property
    def with_type(self) -> bool:
        return allowed(self.ctx, policies.GET_NETWORK_TYPE)

    def create(self, values: Mapping[str, Any]) -> Network:
        return networks.create(ctx=self.ctx, values=values)

    def change(self, row: Network, values: Mapping[str, Any]) -> Network:
        return networks.change(ctx=self.ctx, network=row, values=values)

    def remove(self, row: Network) -> None:
        networks.delete(ctx=self.ctx, network=row)


class NetworksView(_Networks, CollectionView):
    """The networks that the caller sees."""

    def condition(self, name: str, values: list[str]) -> Q:
        if name in presenters.NO_PROVIDER or (name in presenters.PROVIDER and not self.with_type):
            return Q(pk__in=())  # none has what nobody is shown
        return super().condition(name, values)


class NetworkView(_Networks, MemberView):
    """One network."""
