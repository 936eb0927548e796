"""Properties of a namespace. Follows the Image API reference, "Metadata definition properties"."""

from rest_framework.request import Request
from rest_framework.response import Response

from images import metadef_selectors as selectors
from images.api.v2.metadefs import shapes
from images.api.v2.metadefs.namespaces import NamespaceView
from images.services.metadefs import properties


class PropertiesView(NamespaceView):
    """GET, POST and DELETE /v2/metadefs/namespaces/{namespace}/properties"""

    def get(self, request: Request, namespace: str) -> Response:
        rows = selectors.properties_of(self.ctx, self.namespace(namespace))
        return Response({"properties": {row.name: row.schema for row in rows}})

    def post(self, request: Request, namespace: str) -> Response:
        row = properties.create(ctx=self.ctx, namespace=self.namespace(namespace), wanted=request.data)
        return Response(shapes.metadata_property(row), status=201)

    def delete(self, request: Request, namespace: str) -> Response:
        properties.delete_all(ctx=self.ctx, namespace=self.namespace(namespace))
        return Response(status=204)


class PropertyDetailView(NamespaceView):
    """GET, PUT and DELETE /v2/metadefs/namespaces/{namespace}/properties/{name}"""

    def get(self, request: Request, namespace: str, name: str) -> Response:
        resource_type = request.query_params.get("resource_type", "")
        row = selectors.get_property(self.ctx, self.namespace(namespace), name, resource_type)
        return Response(shapes.metadata_property(row))

    def put(self, request: Request, namespace: str, name: str) -> Response:
        row = selectors.property_of(self.namespace(namespace), name)
        return Response(shapes.metadata_property(properties.replace(ctx=self.ctx, row=row, wanted=request.data)))

    def delete(self, request: Request, namespace: str, name: str) -> Response:
        properties.delete(ctx=self.ctx, row=selectors.property_of(self.namespace(namespace), name))
        return Response(status=204)
