"""What hangs on a server: metadata, addresses, volumes, shares (compute API reference, by these names)."""

from rest_framework.request import Request
from rest_framework.response import Response

from compute import policies, selectors
from compute.api.v2_1 import versions
from compute.api.v2_1.base import ComputeView
from compute.api.v2_1.presenters.servers import addresses
from compute.api.v2_1.serializers.base import read
from compute.api.v2_1.serializers.others import Metadata, MetadataItem, ShareAttach, VolumeAttach
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


class VolumeAttachmentsView(PartView):
    """/servers/{id}/os-volume_attachments: a server here has no volumes, and there is none to attach."""

    def get(self, request: Request, server_id: str) -> Response:
        self.server(server_id, policies.VOLUME_ATTACHMENTS)
        return Response({"volumeAttachments": []})

    def post(self, request: Request, server_id: str) -> Response:
        self.server(server_id, policies.VOLUME_ATTACHMENT)
        raise NotFound("Volume", read(VolumeAttach, request.data, self.version)["volumeAttachment"]["volumeId"])


class VolumeAttachmentView(PartView):
    """/servers/{id}/os-volume_attachments/{volume}: there is none to find, change or take away."""

    def get(self, request: Request, server_id: str, volume_id: str) -> Response:
        self.server(server_id, policies.VOLUME_ATTACHMENT)
        raise NotFound("Volume", volume_id, f"Instance {server_id} is not attached to volume {volume_id}")

    put = delete = get


class SharesView(PartView):
    """/servers/{id}/shares: a server here has no file shares, and there is none to attach."""

    since = versions.SHARES

    def get(self, request: Request, server_id: str) -> Response:
        self.server(server_id, policies.FILE_SHARES)
        return Response({"shares": []})

    def post(self, request: Request, server_id: str) -> Response:
        self.server(server_id, policies.FILE_SHARE_CREATE)
        raise NotFound("Share", read(ShareAttach, request.data, self.version)["share"]["share_id"])


class ShareView(PartView):
    """/servers/{id}/shares/{share}: there is none to find or take away."""

    since = versions.SHARES

    def get(self, request: Request, server_id: str, share_id: str) -> Response:
        self.server(server_id, policies.FILE_SHARE)
        raise NotFound("Share", share_id)

    def delete(self, request: Request, server_id: str, share_id: str) -> Response:
        self.server(server_id, policies.FILE_SHARE_DELETE)
        raise NotFound("Share", share_id)
