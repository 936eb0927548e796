"""What is inside a server: counters, topology, its sealed password, and calls that are gone (compute API reference, by these names)."""

from rest_framework.request import Request
from rest_framework.response import Response

from compute import policies
from compute.api.v2_1 import versions
from compute.api.v2_1.base import ComputeView
from compute.api.v2_1.presenters import diagnostics as present
from compute.api.v2_1.presenters.topology import topology
from compute.api.v2_1.views.server_parts import PartView
from compute.services import diagnostics, passwords
from portal.core.errors import Gone
from portal.core.policy import allowed


class DiagnosticsView(PartView):
    """GET /servers/{id}/diagnostics."""

    def get(self, request: Request, server_id: str) -> Response:
        server = self.server(server_id)
        found = diagnostics.read(ctx=self.ctx, server=server)
        if self.version >= versions.STANDARD_DIAGNOSTICS:
            return Response(present.common_names(found, server))
        return Response(present.libvirt_names(found))


class TopologyView(PartView):
    """GET /servers/{id}/topology."""

    since = versions.TOPOLOGY

    def get(self, request: Request, server_id: str) -> Response:
        server = self.server(server_id, policies.TOPOLOGY)
        return Response(topology(server, with_host=allowed(self.ctx, policies.TOPOLOGY_HOST, server)))


class ServerPasswordView(PartView):
    """GET and DELETE /servers/{id}/os-server-password."""

    def get(self, request: Request, server_id: str) -> Response:
        return Response({"password": self.server(server_id, policies.PASSWORD_SHOW).sealed_password})

    def delete(self, request: Request, server_id: str) -> Response:
        passwords.clear(ctx=self.ctx, server=self.server(server_id))
        return Response(status=204)


class VirtualInterfacesView(ComputeView):
    """GET /servers/{id}/os-virtual-interfaces: gone with the network service that it spoke of."""

    until = versions.LAST_VIRTUAL_INTERFACES

    def get(self, request: Request, server_id: str) -> Response:
        raise Gone("This call was removed together with the network service it spoke of: ask the network API.")
