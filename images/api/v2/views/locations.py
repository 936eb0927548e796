"""Where an image's bytes lie, for services; and adding a place.

Follows the Image API reference, "Locations".
"""

from rest_framework.request import Request
from rest_framework.response import Response

from images import policies, selectors
from images.api.v2.views.base import ImageView
from images.services import placements
from portal.core.policy import authorize


class LocationsView(ImageView):
    """GET and POST /v2/images/{image_id}/locations"""

    def get(self, request: Request, image_id: str) -> Response:
        image = selectors.get_image(self.ctx, image_id)
        authorize(self.ctx, policies.FETCH_IMAGE_LOCATION, image)
        return Response(placements.shown([image.pk]).get(image.pk, []))

    def post(self, request: Request, image_id: str) -> Response:
        image = selectors.get_image(self.ctx, image_id)
        placements.add(ctx=self.ctx, image=image, wanted=request.data)
        return Response(status=202)
