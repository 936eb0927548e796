"""Tags of a server (compute API reference, "Server tags")."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from compute import policies, selectors
from compute.api.v2_1 import versions
from compute.api.v2_1.serializers.base import read
from compute.api.v2_1.serializers.server_fields import Tag, Tags
from compute.api.v2_1.views.server_parts import PartView
from compute.services import tags
from portal.core.api.serializers import StrictSerializer
from portal.core.errors import BadRequest, NotFound


class TagsBody(StrictSerializer):
    tags = Tags()


class ServerTagsView(PartView):
    """GET, PUT and DELETE /servers/{id}/tags."""

    since = versions.TAGS

    def get(self, request: Request, server_id: str) -> Response:
        server = self.server(server_id, policies.TAGS_INDEX)
        return Response({"tags": selectors.tags_of([server.pk]).get(server.pk, [])})

    def put(self, request: Request, server_id: str) -> Response:
        wanted = read(TagsBody, request.data, self.version)["tags"]
        return Response({"tags": tags.replace(ctx=self.ctx, server=self.server(server_id), tags=wanted)})

    def delete(self, request: Request, server_id: str) -> Response:
        tags.clear(ctx=self.ctx, server=self.server(server_id))
        return Response(status=204)


class ServerTagView(PartView):
    """GET, PUT and DELETE /servers/{id}/tags/{tag}."""

    since = versions.TAGS

    def get(self, request: Request, server_id: str, tag: str) -> Response:
        server = self.server(server_id, policies.TAGS_SHOW)
        if tag not in selectors.tags_of([server.pk]).get(server.pk, []):
            raise NotFound("Tag", tag, f"Server {server.pk} has no tag '{tag}'")
        return Response(status=204)

    def put(self, request: Request, server_id: str, tag: str) -> Response:
        server, word = self.server(server_id), _checked(tag)
        if not tags.add(ctx=self.ctx, server=server, tag=word):
            return Response(status=204)
        location = {"Location": self.addresses.of(f"servers/{server.pk}/tags/{word}")}
        return Response(status=201, headers=location)

    def delete(self, request: Request, server_id: str, tag: str) -> Response:
        tags.remove(ctx=self.ctx, server=self.server(server_id), tag=tag)
        return Response(status=204)


def _checked(tag: str) -> str:
    try:
        found: Any = Tag().run_validation(tag)
    except serializers.ValidationError as error:
        raise BadRequest(
            f"Tag '{tag[:80]}' is invalid. It must be a non empty string without characters '/' and ','."
        ) from error
    return str(found)
