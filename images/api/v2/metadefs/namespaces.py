"""Namespaces: list, make, show, write anew, delete, and emptying them of one kind of thing.

Follows the Image API reference, "Metadata definition namespaces".
"""

from typing import Any
from urllib.parse import urlencode

from rest_framework.request import Request
from rest_framework.response import Response

from images import metadef_selectors as selectors
from images.api.v2.metadefs import listing, shapes
from images.api.v2.views.base import ImageView
from images.models import MetadefNamespace
from images.services.metadefs import namespaces


class NamespaceView(ImageView):
    """A view of something in a namespace that the caller may see."""

    def namespace(self, name: str) -> MetadefNamespace:
        """Return the namespace that the address names."""
        return selectors.get_namespace(self.ctx, name)


class NamespacesView(ImageView):
    """GET and POST /v2/metadefs/namespaces"""

    def get(self, request: Request) -> Response:
        params = request.query_params
        rows = selectors.namespaces_listed(self.ctx).filter(listing.wanted_namespaces(params))
        found, more = listing.page(
            rows,
            params,
            keys=listing.NAMESPACE_KEYS,
            marked=lambda name: selectors.get_namespace(self.ctx, name),
            limit=listing.DEFAULT_LIMIT,
        )
        body = {
            "namespaces": [shapes.namespace_listed(row) for row in found],
            "first": self._address(marker=None),
            "schema": f"{shapes.SCHEMAS}/namespaces",
        }
        if more:
            body["next"] = self._address(marker=found[-1].namespace)
        return Response(body)

    def post(self, request: Request) -> Response:
        row = namespaces.create(ctx=self.ctx, wanted=request.data)
        response = Response(shapes.namespace_whole(row), status=201)
        response["Location"] = request.build_absolute_uri(f"{request.path.rstrip('/')}/{row.namespace}")
        return response

    def _address(self, marker: str | None) -> str:
        """Return this list's address relative to the endpoint, as clients of this API expect it."""
        params: dict[str, Any] = dict(self.request.query_params.lists())
        params.pop("marker", None)
        if marker:
            params["marker"] = [marker]
        return f"{shapes.NAMESPACES}?{urlencode(params, doseq=True)}" if params else shapes.NAMESPACES


class NamespaceDetailView(NamespaceView):
    """GET, PUT and DELETE /v2/metadefs/namespaces/{namespace}"""

    def get(self, request: Request, namespace: str) -> Response:
        row = selectors.get_namespace_whole(self.ctx, namespace)
        return Response(shapes.namespace_whole(row, request.query_params.get("resource_type", "")))

    def put(self, request: Request, namespace: str) -> Response:
        row = namespaces.replace(ctx=self.ctx, namespace=self.namespace(namespace), wanted=request.data)
        return Response(shapes.namespace(row))

    def delete(self, request: Request, namespace: str) -> Response:
        namespaces.delete(ctx=self.ctx, namespace=self.namespace(namespace))
        return Response(status=204)
