"""What hangs on a server: metadata, addresses, ports, security groups, volumes (compute API reference, by these names)."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from compute import policies, selectors
from compute.api.v2_1 import versions
from compute.api.v2_1.base import ComputeView
from compute.api.v2_1.presenters import ports as present
from compute.api.v2_1.presenters.servers import addresses
from compute.api.v2_1.serializers.base import read
from compute.api.v2_1.serializers.others import Metadata, MetadataItem
from compute.models import Server
from compute.network import selectors as network
from compute.services import metadata
from portal.core.errors import BadRequest, NotFound
from portal.core.policy import Rule, authorize


class PartView(ComputeView):
    """Base of what hangs on one server."""

    def server(self, server_id: str, rule: Rule | None = None) -> Server:
        """Return the server, for a caller whom the rule lets see this part of it."""
        found = selectors.get_server(self.ctx, server_id)
        if rule is not None:
            authorize(self.ctx, rule, found)
        return found


class MetadataView(PartView):
    """GET, PUT and POST /servers/{id}/metadata."""

    def get(self, request: Request, server_id: str) -> Response:
        return Response({"metadata": self.server(server_id, policies.METADATA_INDEX).metadata})

    def post(self, request: Request, server_id: str) -> Response:
        items = read(Metadata, request.data, self.version)["metadata"]
        return Response({"metadata": metadata.add(ctx=self.ctx, server=self.server(server_id), items=items)})

    def put(self, request: Request, server_id: str) -> Response:
        items = read(Metadata, request.data, self.version)["metadata"]
        return Response({"metadata": metadata.replace(ctx=self.ctx, server=self.server(server_id), items=items)})


class MetadataItemView(PartView):
    """GET, PUT and DELETE /servers/{id}/metadata/{key}."""

    def get(self, request: Request, server_id: str, key: str) -> Response:
        items = self.server(server_id, policies.METADATA_SHOW).metadata
        if key not in items:
            raise NotFound("Metadata item", key, "Metadata item was not found")
        return Response({"meta": {key: items[key]}})

    def put(self, request: Request, server_id: str, key: str) -> Response:
        items = read(MetadataItem, request.data, self.version)["meta"]
        if list(items) != [key]:
            raise BadRequest("Request body and URI mismatch")
        metadata.set_item(ctx=self.ctx, server=self.server(server_id), key=key, value=items[key])
        return Response({"meta": items})

    def delete(self, request: Request, server_id: str, key: str) -> Response:
        metadata.delete_item(ctx=self.ctx, server=self.server(server_id), key=key)
        return Response(status=204)


class AddressesView(PartView):
    """GET /servers/{id}/ips."""

    def get(self, request: Request, server_id: str) -> Response:
        server = self.server(server_id, policies.IPS_INDEX)
        return Response({"addresses": addresses(network.addresses([server.pk]).get(server.pk, []))})


class NetworkAddressesView(PartView):
    """GET /servers/{id}/ips/{network}."""

    def get(self, request: Request, server_id: str, label: str) -> Response:
        server = self.server(server_id, policies.IPS_SHOW)
        found = addresses(network.addresses([server.pk]).get(server.pk, []))
        if label not in found:
            raise NotFound("Network", label, "Instance is not a member of specified network")
        return Response({label: found[label]})


class InterfacesView(PartView):
    """GET /servers/{id}/os-interface."""

    def get(self, request: Request, server_id: str) -> Response:
        server = self.server(server_id, policies.INTERFACES_LIST)
        with_tag = self.version >= versions.INTERFACE_TAG
        shown = [present.interface(port, with_tag=with_tag) for port in network.ports_of(server.pk)]
        return Response({"interfaceAttachments": shown})


class InterfaceView(PartView):
    """GET /servers/{id}/os-interface/{port}."""

    def get(self, request: Request, server_id: str, port_id: str) -> Response:
        server = self.server(server_id, policies.INTERFACES_SHOW)
        port = next((port for port in network.ports_of(server.pk) if port.pk == port_id), None)
        if port is None:
            raise NotFound("Port", port_id, f"Instance {server_id} does not have a port with id {port_id}")
        with_tag = self.version >= versions.INTERFACE_TAG
        return Response({"interfaceAttachment": present.interface(port, with_tag=with_tag)})


class ServerSecurityGroupsView(PartView):
    """GET /servers/{id}/os-security-groups."""

    def get(self, request: Request, server_id: str) -> Response:
        server = self.server(server_id, policies.SERVER_SECURITY_GROUPS)
        groups: list[dict[str, Any]] = [present.security_group(group) for group in network.security_groups_of(server.pk)]
        return Response({"security_groups": groups})


class VolumeAttachmentsView(PartView):
    """GET /servers/{id}/os-volume_attachments: a server here has no volumes, and that is what this says."""

    def get(self, request: Request, server_id: str) -> Response:
        self.server(server_id, policies.VOLUME_ATTACHMENTS)
        return Response({"volumeAttachments": []})


class VolumeAttachmentView(PartView):
    """GET /servers/{id}/os-volume_attachments/{volume}: there is none to find."""

    def get(self, request: Request, server_id: str, volume_id: str) -> Response:
        self.server(server_id, policies.VOLUME_ATTACHMENT)
        raise NotFound("Volume", volume_id, f"Instance {server_id} is not attached to volume {volume_id}")
