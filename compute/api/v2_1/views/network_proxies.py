"""What compute answers in the network service's place, until 2.35: networks, floating IPs, and what is gone for good.

There are no floating IPs without routers: lists are empty, nothing is found, as upstream answers where the network service has
none of them.
"""

from typing import Any, NoReturn

from rest_framework.request import Request
from rest_framework.response import Response

from compute import policies
from compute.api.v2_1 import versions
from compute.api.v2_1.base import ComputeView
from compute.network import selectors as network
from compute.network.models import Network
from portal.core.errors import BadRequest, Gone, NotFound
from portal.core.policy import Rule, authorize

_FOR_ALL = ("cidr", "netmask", "gateway", "broadcast", "dns1", "dns2", "cidr_v6", "gateway_v6", "netmask_v6")
_FOR_OPERATORS = (
    "created_at",
    "updated_at",
    "deleted_at",
    "deleted",
    "injected",
    "bridge",
    "vlan",
    "vpn_public_address",
    "vpn_public_port",
    "vpn_private_address",
    "dhcp_start",
    "project_id",
    "host",
    "bridge_interface",
    "multi_host",
    "priority",
    "rxtx_base",
    "mtu",
    "dhcp_server",
    "enable_dhcp",
    "share_address",
)


class ProxyView(ComputeView):
    """Base of what ends with 2.35."""

    until = versions.LAST_NETWORK_PROXY

    def let_in(self, rule: Rule) -> None:
        authorize(self.ctx, rule, {"project_id": self.ctx.project_id})


class GoneView(ComputeView):
    """An address that OpenStack took away: 410 for whoever is signed in."""

    def gone(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        raise Gone("This resource is no longer available. No forwarding address is given.")

    get = post = put = delete = gone


class _NetworksBase(ProxyView):
    def visible(self) -> list[Network]:
        """Return the networks to which the caller may attach servers."""
        return list(network.networks_visible(self.ctx))

    def one(self, network_id: str) -> Network:
        found = next((row for row in self.visible() if row.pk == network_id), None)
        if found is None:
            raise NotFound("Network", network_id, "Network not found")
        return found


class NetworksView(_NetworksBase):
    """GET /os-networks; making one is gone."""

    def get(self, request: Request) -> Response:
        self.let_in(policies.NETWORKS_LIST)
        return Response({"networks": [_long(row, self.ctx.is_operator) for row in self.visible()]})

    post = GoneView.gone


class NetworkView(_NetworksBase):
    """GET /os-networks/{id}; removing one is gone."""

    def get(self, request: Request, network_id: str) -> Response:
        self.let_in(policies.NETWORKS_SHOW)
        return Response({"network": _long(self.one(network_id), self.ctx.is_operator)})

    delete = GoneView.gone


class TenantNetworksView(_NetworksBase):
    """GET /os-tenant-networks."""

    def get(self, request: Request) -> Response:
        self.let_in(policies.TENANT_NETWORKS_LIST)
        return Response({"networks": [_short(row) for row in self.visible()]})

    post = GoneView.gone


class TenantNetworkView(_NetworksBase):
    """GET /os-tenant-networks/{id}."""

    def get(self, request: Request, network_id: str) -> Response:
        self.let_in(policies.TENANT_NETWORKS_SHOW)
        return Response({"network": _short(self.one(network_id))})

    delete = GoneView.gone


class FloatingIpPoolsView(ProxyView):
    """GET /os-floating-ip-pools: there are none."""

    def get(self, request: Request) -> Response:
        self.let_in(policies.FLOATING_IP_POOLS)
        return Response({"floating_ip_pools": []})


class FloatingIpsView(ProxyView):
    """GET and POST /os-floating-ips."""

    def get(self, request: Request) -> Response:
        self.let_in(policies.FLOATING_IPS_LIST)
        return Response({"floating_ips": []})

    def post(self, request: Request) -> Response:
        self.let_in(policies.FLOATING_IPS_CREATE)
        pool = request.data.get("pool") if isinstance(request.data, dict) else None
        if pool is not None and not isinstance(pool, str):
            raise BadRequest("Invalid input for field/attribute pool. It is not of type 'string'.")
        raise NotFound("Floating IP pool", pool, "Floating IP pool not found.")


class FloatingIpView(ProxyView):
    """GET and DELETE /os-floating-ips/{id}: there is none to find."""

    def get(self, request: Request, floating_ip_id: str) -> Response:
        self.let_in(policies.FLOATING_IPS_SHOW)
        raise NotFound("Floating IP", floating_ip_id, f"Floating IP not found for ID {floating_ip_id}")

    def delete(self, request: Request, floating_ip_id: str) -> Response:
        self.let_in(policies.FLOATING_IPS_DELETE)
        raise NotFound("Floating IP", floating_ip_id, f"Floating IP not found for ID {floating_ip_id}")


def _long(row: Network, operator: bool) -> dict[str, Any]:
    """Compute API reference, "Networks": of all its fields only id and label still say something."""
    empty = _FOR_ALL + _FOR_OPERATORS if operator else _FOR_ALL
    return {"id": row.pk, "label": row.name, **dict.fromkeys(empty)}


def _short(row: Network) -> dict[str, Any]:
    """Compute API reference, "Project networks": the range has been the word None since nobody asks for it here."""
    return {"id": row.pk, "label": row.name, "cidr": "None"}
