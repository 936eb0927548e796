"""Network cards and security groups of a server (compute API reference, "Port interfaces", "Servers Security Groups")."""

from collections.abc import Callable
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from compute import policies
from compute.api.v2_1 import versions
from compute.api.v2_1.presenters import ports as present
from compute.api.v2_1.serializers import networks as bodies
from compute.api.v2_1.serializers.base import read
from compute.api.v2_1.views.server_parts import PartView
from compute.models import Server
from compute.network import selectors as network
from compute.network.models import Port
from compute.services import interfaces
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, NotFound
from portal.core.policy import authorize
from portal.core.versions import Version


class _InterfacesBase(PartView):
    def shown(self, port: Port) -> dict[str, Any]:
        return present.interface(port, with_tag=self.version >= versions.INTERFACE_TAG)

    def port(self, server: Server, port_id: str) -> Port:
        port = next((port for port in network.ports_of(server.pk) if port.pk == port_id), None)
        if port is None:
            raise NotFound("Port", port_id, f"Instance {server.pk} does not have a port with id {port_id}")
        return port


class InterfacesView(_InterfacesBase):
    """GET and POST /servers/{id}/os-interface."""

    def get(self, request: Request, server_id: str) -> Response:
        server = self.server(server_id, policies.INTERFACES_LIST)
        return Response({"interfaceAttachments": [self.shown(port) for port in network.ports_of(server.pk)]})

    def post(self, request: Request, server_id: str) -> Response:
        wish = read(bodies.Attachment, request.data or {}, self.version).get("interfaceAttachment", {})
        server = self.server(server_id)
        item = {"uuid": wish.get("net_id"), "port": wish.get("port_id"), "tag": wish.get("tag")}
        if "fixed_ips" in wish:
            item["fixed_ip"] = wish["fixed_ips"][0]["ip_address"]
        port = interfaces.attach(ctx=self.ctx, server=server, item=item)
        return Response({"interfaceAttachment": self.shown(self.port(server, port.pk))})


class InterfaceView(_InterfacesBase):
    """GET and DELETE /servers/{id}/os-interface/{port}."""

    def get(self, request: Request, server_id: str, port_id: str) -> Response:
        server = self.server(server_id, policies.INTERFACES_SHOW)
        return Response({"interfaceAttachment": self.shown(self.port(server, port_id))})

    def delete(self, request: Request, server_id: str, port_id: str) -> Response:
        interfaces.detach(ctx=self.ctx, server=self.server(server_id), port_id=port_id)
        return Response(status=202)


class ServerSecurityGroupsView(PartView):
    """GET /servers/{id}/os-security-groups."""

    def get(self, request: Request, server_id: str) -> Response:
        server = self.server(server_id, policies.SERVER_SECURITY_GROUPS)
        groups = sorted(network.security_groups_of(server.pk), key=lambda group: (group.project_id, group.name))
        return Response({"security_groups": [present.security_group(group) for group in groups]})


def _add_fixed_ip(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    _refuse_after(version)
    network_id = read(bodies.AddFixedIp, body, version)["networkId"]
    interfaces.add_fixed_ip(ctx=ctx, server=server, network_id=network_id)
    return Response(status=202)


def _remove_fixed_ip(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    _refuse_after(version)
    address = read(bodies.RemoveFixedIp, body, version)["address"]
    interfaces.remove_fixed_ip(ctx=ctx, server=server, address=address)
    return Response(status=202)


def _add_group(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    interfaces.add_security_group(ctx=ctx, server=server, name=read(bodies.GroupName, body, version)["name"])
    return Response(status=202)


def _remove_group(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    interfaces.remove_security_group(ctx=ctx, server=server, name=read(bodies.GroupName, body, version)["name"])
    return Response(status=202)


def _add_floating_ip(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    _refuse_after(version)
    fixed = read(bodies.FloatingAddress, body, version).get("fixed_address")
    authorize(ctx, policies.FLOATING_IPS_ADD, server)
    held = {item.address for item in network.addresses([server.pk]).get(server.pk, [])}
    if not held:
        raise BadRequest("No fixed IPs associated to instance")
    if fixed is not None and fixed not in held:
        raise BadRequest("Specified fixed address not assigned to instance")
    raise NotFound("Floating IP", "", "floating IP not found")


def _remove_floating_ip(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    _refuse_after(version)
    read(bodies.FloatingAddress, body, version)
    authorize(ctx, policies.FLOATING_IPS_REMOVE, server)
    raise NotFound("Floating IP", "", "floating IP not found")


def _refuse_after(version: Version) -> None:
    if version > versions.LAST_ADDRESS_ACTIONS:
        raise NotFound("Resource", "", "The resource could not be found.")


ACTIONS: dict[str, Callable[[RequestContext, Server, Any, Version], Response]] = {
    "addFixedIp": _add_fixed_ip,
    "removeFixedIp": _remove_fixed_ip,
    "addSecurityGroup": _add_group,
    "removeSecurityGroup": _remove_group,
    "addFloatingIp": _add_floating_ip,
    "removeFloatingIp": _remove_floating_ip,
}
