"""One copy of an image's data, by the store that has it.

Follows the Image API reference, "Delete image from store".
"""

from rest_framework.request import Request
from rest_framework.response import Response

from images import selectors
from images.api.v2.views.base import ImageView
from images.services import locations


class StoreImageView(ImageView):
    """DELETE /v2/stores/{store}/{image_id}"""

    def delete(self, request: Request, store: str, image_id: str) -> Response:
        locations.delete_from_store(ctx=self.ctx, image=selectors.get_image(self.ctx, image_id), store=store)
        return Response(status=204)
