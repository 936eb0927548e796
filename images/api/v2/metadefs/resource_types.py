"""Resource types and what ties namespaces to them. Follows the Image API reference, "Metadata definition resource types"."""

from rest_framework.request import Request
from rest_framework.response import Response

from images import metadef_selectors as selectors
from images.api.v2.metadefs import shapes
from images.api.v2.metadefs.namespaces import NamespaceView
from images.api.v2.views.base import ImageView
from images.services.metadefs import resource_types


class ResourceTypesView(ImageView):
    """GET /v2/metadefs/resource_types"""

    def get(self, request: Request) -> Response:
        return Response({"resource_types": [shapes.named(row) for row in selectors.resource_types(self.ctx)]})


class AssociationsView(NamespaceView):
    """GET and POST /v2/metadefs/namespaces/{namespace}/resource_types"""

    def get(self, request: Request, namespace: str) -> Response:
        rows = selectors.associations_of(self.ctx, self.namespace(namespace))
        return Response({"resource_type_associations": [shapes.association(row) for row in rows]})

    def post(self, request: Request, namespace: str) -> Response:
        row = resource_types.associate(ctx=self.ctx, namespace=self.namespace(namespace), wanted=request.data)
        return Response(shapes.association(row), status=201)


class AssociationDetailView(NamespaceView):
    """DELETE /v2/metadefs/namespaces/{namespace}/resource_types/{name}"""

    def delete(self, request: Request, namespace: str, name: str) -> Response:
        resource_types.dissociate(ctx=self.ctx, namespace=self.namespace(namespace), name=name)
        return Response(status=204)
