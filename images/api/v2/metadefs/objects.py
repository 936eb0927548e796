"""Objects of a namespace. Follows the Image API reference, "Metadata definition objects"."""

from rest_framework.request import Request
from rest_framework.response import Response

from images import metadef_selectors as selectors
from images.api.v2.metadefs import listing, shapes
from images.api.v2.metadefs.namespaces import NamespaceView
from images.services.metadefs import objects


class ObjectsView(NamespaceView):
    """GET, POST and DELETE /v2/metadefs/namespaces/{namespace}/objects"""

    def get(self, request: Request, namespace: str) -> Response:
        within = self.namespace(namespace)
        found, _more = listing.page(
            selectors.objects_of(self.ctx, within),
            request.query_params,
            keys=listing.PART_KEYS,
            marked=lambda name: selectors.object_of(within, name),
        )
        shown = [shapes.metadata_object(row, within) for row in found]
        return Response({"objects": shown, "schema": "v2/schemas/metadefs/objects"})

    def post(self, request: Request, namespace: str) -> Response:
        within = self.namespace(namespace)
        row = objects.create(ctx=self.ctx, namespace=within, wanted=request.data)
        return Response(shapes.metadata_object(row, within), status=201)

    def delete(self, request: Request, namespace: str) -> Response:
        objects.delete_all(ctx=self.ctx, namespace=self.namespace(namespace))
        return Response(status=204)


class ObjectDetailView(NamespaceView):
    """GET, PUT and DELETE /v2/metadefs/namespaces/{namespace}/objects/{name}"""

    def get(self, request: Request, namespace: str, name: str) -> Response:
        within = self.namespace(namespace)
        return Response(shapes.metadata_object(selectors.get_object(self.ctx, within, name), within))

    def put(self, request: Request, namespace: str, name: str) -> Response:
        within = self.namespace(namespace)
        row = objects.replace(ctx=self.ctx, row=selectors.object_of(within, name), wanted=request.data)
        return Response(shapes.metadata_object(row, within))

    def delete(self, request: Request, namespace: str, name: str) -> Response:
        objects.delete(ctx=self.ctx, row=selectors.object_of(self.namespace(namespace), name))
        return Response(status=204)
