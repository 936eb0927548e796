"""The schemas by which clients learn what metadata definitions look like."""

from rest_framework.request import Request
from rest_framework.response import Response

from images.api.v2.views.base import ImageView
from images.services.metadefs.schemas import PUBLISHED


class MetadefSchemaView(ImageView):
    """GET /v2/schemas/metadefs/{namespace, namespaces, object, objects, ...}"""

    name = "namespace"

    def get(self, request: Request) -> Response:
        return Response(PUBLISHED[self.name])
