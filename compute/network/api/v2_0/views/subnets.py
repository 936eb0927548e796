"""/v2.0/subnets and /v2.0/subnets/{id}."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from compute.network import selectors
from compute.network.api.v2_0 import bodies, presenters
from compute.network.api.v2_0.base import Attribute, CollectionView, MemberView, ResourceView, boolean, number
from compute.network.models import Subnet
from compute.network.services import subnets
from portal.core.context import RequestContext


class _Subnets(ResourceView):
    singular, plural, kind = "subnet", "subnets", "Subnet"
    attributes = {
        "id": Attribute("id"),
        "name": Attribute("name"),
        "description": Attribute("description"),
        "project_id": Attribute("project_id"),
        "tenant_id": Attribute("project_id"),
        "network_id": Attribute("network_id"),
        "ip_version": Attribute("ip_version", number),
        "cidr": Attribute("cidr"),
        "gateway_ip": Attribute("gateway_ip"),
        "enable_dhcp": Attribute("enable_dhcp", boolean),
    }

    creation, changes = bodies.SubnetCreate, bodies.SubnetChanges

    def rows(self, ctx: RequestContext) -> QuerySet[Subnet]:
        return selectors.subnets_visible(ctx)

    def present(self, row: Subnet) -> dict[str, Any]:
        return presenters.subnet(row)

    def create(self, values: Mapping[str, Any]) -> Subnet:
        network = selectors.get_network(self.ctx, values["network_id"])
        return subnets.create(ctx=self.ctx, network=network, values=values)

    def change(self, row: Subnet, values: Mapping[str, Any]) -> Subnet:
        return subnets.change(ctx=self.ctx, subnet=row, values=values)

    def remove(self, row: Subnet) -> None:
        subnets.delete(ctx=self.ctx, subnet=row)


class SubnetsView(_Subnets, CollectionView):
    """The subnets that the caller sees."""


class SubnetView(_Subnets, MemberView):
    """One subnet."""
