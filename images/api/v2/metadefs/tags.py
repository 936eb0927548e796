"""Tags of a namespace. Follows the Image API reference, "Metadata definition tags"."""

from oslo_utils.strutils import bool_from_string
from rest_framework.request import Request
from rest_framework.response import Response

from images import metadef_selectors as selectors
from images.api.v2.metadefs import listing, shapes
from images.api.v2.metadefs.namespaces import NamespaceView
from images.services.metadefs import tags


class TagsView(NamespaceView):
    """GET, POST and DELETE /v2/metadefs/namespaces/{namespace}/tags"""

    def get(self, request: Request, namespace: str) -> Response:
        within = self.namespace(namespace)
        found, _more = listing.page(
            selectors.tags_of(self.ctx, within),
            request.query_params,
            keys=listing.PART_KEYS,
            marked=lambda name: selectors.tag_of(within, name),
        )
        return Response({"tags": [{"name": row.name} for row in found]})

    def post(self, request: Request, namespace: str) -> Response:
        append = bool_from_string(request.headers.get("X-Openstack-Append", ""))
        rows = tags.create_many(ctx=self.ctx, namespace=self.namespace(namespace), wanted=request.data, append=append)
        return Response({"tags": [{"name": row.name} for row in rows]}, status=201)

    def delete(self, request: Request, namespace: str) -> Response:
        tags.delete_all(ctx=self.ctx, namespace=self.namespace(namespace))
        return Response(status=204)


class TagDetailView(NamespaceView):
    """GET, POST, PUT and DELETE /v2/metadefs/namespaces/{namespace}/tags/{name}"""

    def get(self, request: Request, namespace: str, name: str) -> Response:
        return Response(shapes.named(selectors.get_tag(self.ctx, self.namespace(namespace), name)))

    def post(self, request: Request, namespace: str, name: str) -> Response:
        return Response(shapes.named(tags.create(ctx=self.ctx, namespace=self.namespace(namespace), name=name)), status=201)

    def put(self, request: Request, namespace: str, name: str) -> Response:
        row = selectors.tag_of(self.namespace(namespace), name)
        return Response(shapes.named(tags.rename(ctx=self.ctx, row=row, wanted=request.data)))

    def delete(self, request: Request, namespace: str, name: str) -> Response:
        tags.delete(ctx=self.ctx, row=selectors.tag_of(self.namespace(namespace), name))
        return Response(status=204)
