"""Networks as the compute API told of them up to 2.35 (compute API reference, "Networks", deprecated): ids and names.

What could be changed here once is gone for good.
"""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from compute import policies
from compute.api.v2_1 import versions
from compute.api.v2_1.base import ComputeView
from compute.network import selectors as network
from compute.network.models import Network
from portal.core.errors import Gone, NotFound
from portal.core.policy import Rule, authorize

_FIELDS = ("cidr", "netmask", "gateway", "broadcast", "dns1", "dns2", "cidr_v6", "gateway_v6", "netmask_v6")
_OPERATORS_FIELDS = (
    *("created_at", "updated_at", "deleted_at", "deleted", "injected", "bridge", "vlan", "vpn_public_address"),
    *("vpn_public_port", "vpn_private_address", "dhcp_start", "project_id", "host", "bridge_interface", "multi_host"),
    *("priority", "rxtx_base", "mtu", "dhcp_server", "enable_dhcp", "share_address"),
)


class _NetworkBase(ComputeView):
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method in ("GET", "HEAD") and self.version > versions.LAST_NETWORK_PROXY:
            raise NotFound("Resource", "", "The resource could not be found.")

    def let_in(self, rule: Rule) -> None:
        authorize(self.ctx, rule, {"project_id": self.ctx.project_id})

    def gone(self, request: Request, **_names: Any) -> Response:
        raise Gone("This API was removed.")

    def shown(self, row: Network) -> dict[str, Any]:
        names = _FIELDS + (_OPERATORS_FIELDS if self.ctx.is_operator else ())
        return {"id": row.pk, "label": row.name, **dict.fromkeys(names)}


class NetworksView(_NetworkBase):
    """GET /os-networks."""

    def get(self, request: Request) -> Response:
        self.let_in(policies.NETWORKS_LIST)
        return Response({"networks": [self.shown(row) for row in network.networks_visible(self.ctx)]})

    post = _NetworkBase.gone


class NetworkView(_NetworkBase):
    """GET /os-networks/{id}."""

    def get(self, request: Request, network_id: str) -> Response:
        self.let_in(policies.NETWORKS_SHOW)
        return Response({"network": self.shown(network.get_network(self.ctx, network_id))})

    delete = _NetworkBase.gone


class TenantNetworksView(_NetworkBase):
    """GET /os-tenant-networks."""

    def get(self, request: Request) -> Response:
        self.let_in(policies.TENANT_NETWORKS_LIST)
        return Response({"networks": [_brief(row) for row in network.networks_visible(self.ctx)]})

    post = _NetworkBase.gone


class TenantNetworkView(_NetworkBase):
    """GET /os-tenant-networks/{id}."""

    def get(self, request: Request, network_id: str) -> Response:
        self.let_in(policies.TENANT_NETWORKS_SHOW)
        return Response({"network": _brief(network.get_network(self.ctx, network_id))})

    delete = _NetworkBase.gone


def _brief(row: Network) -> dict[str, Any]:
    return {"id": row.pk, "label": row.name, "cidr": "None"}
