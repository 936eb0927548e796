"""Images: list, create, show, change, delete.

Follows the Image API reference, "Images".
"""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from images import policies, selectors
from images.api.v2 import filters, ordering, shapes
from images.api.v2.views.base import ImageView
from images.models import Image
from images.models.image import ImageQuerySet
from images.services import registry
from images.services.patches import parse, parse_v20
from images.stores import registry as stores
from portal.core.api.codec import JSONParser
from portal.core.errors import BadRequest, NotFound
from portal.core.policy import authorize


class ImagePatchParser(JSONParser):
    """The form of a patch since v2.1: JSON Patch with its own media type."""

    media_type = "application/openstack-images-v2.1-json-patch"


class OlderImagePatchParser(JSONParser):
    media_type = "application/openstack-images-v2.0-json-patch"


def _shape(view: ImageView, image: Image) -> dict[str, Any]:
    """Return one image as the caller sees it."""
    return shapes.image(image, shapes.Sight(view.ctx, [image]))


class ImagesView(ImageView):
    """GET and POST /v2/images"""

    def get(self, request: Request) -> Response:
        authorize(self.ctx, policies.GET_IMAGES)
        params = request.query_params
        rows = selectors.images_listed(
            self.ctx,
            filters.conditions_of(params, self.ctx),
            hidden=filters.shows_hidden(params),
            visibility=filters.visibility_of(params),
            member_status=filters.member_status_of(params),
        )
        found, more = ordering.page(rows, params, self._any_visible)
        sight = shapes.Sight(self.ctx, found)
        body = {"images": [shapes.image(row, sight) for row in found], "first": self._first(), "schema": shapes.SCHEMA_IMAGES}
        if more:
            body["next"] = self._address(marker=found[-1].pk)
        return Response(body)

    def post(self, request: Request) -> Response:
        if request.stream is None or not isinstance(request.data, dict):
            raise BadRequest("Request body must be a JSON object.")
        image = registry.create(ctx=self.ctx, wanted=request.data)
        response = Response(_shape(self, image), status=201)
        response["Location"] = request.build_absolute_uri(f"{request.path.rstrip('/')}/{image.pk}")
        response["OpenStack-image-import-methods"] = ",".join(settings.IMAGE_IMPORT_METHODS)
        response["OpenStack-image-store-ids"] = ",".join(stores.names())
        return response

    def _any_visible(self) -> ImageQuerySet:
        """Return what a marker may name: an image of any list of the caller."""
        return selectors.images_visible(self.ctx, visibility=selectors.ALL, member_status=selectors.ALL)

    def _first(self) -> str:
        return self._address(marker=None)

    def _address(self, marker: str | None) -> str:
        """Return this list's address relative to the endpoint, as clients of this API expect it."""
        params: dict[str, Any] = dict(self.request.query_params.lists())
        params.pop("marker", None)
        if marker:
            params["marker"] = [marker]
        return f"/v2/images?{urlencode(params, doseq=True)}" if params else "/v2/images"


class ImageDetailView(ImageView):
    """GET, PATCH and DELETE /v2/images/{image_id}"""

    parser_classes = (ImagePatchParser, OlderImagePatchParser)  # type: ignore[assignment]

    def get(self, request: Request, image_id: str) -> Response:
        return Response(_shape(self, selectors.get_image(self.ctx, image_id)))

    def patch(self, request: Request, image_id: str) -> Response:
        older = (request.content_type or "").startswith(OlderImagePatchParser.media_type)
        changes = (parse_v20 if older else parse)(request.data)
        image = selectors.get_image(self.ctx, image_id)
        return Response(_shape(self, registry.update(ctx=self.ctx, image=image, changes=changes)))

    def delete(self, request: Request, image_id: str) -> Response:
        registry.delete(ctx=self.ctx, image=selectors.get_image(self.ctx, image_id))
        return Response(status=204)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        if response.status_code == 415:
            response["Accept-Patch"] = ", ".join(parser.media_type for parser in self.parser_classes)
        return response


class ImageStageView(ImageView):
    """PUT /v2/images/{image_id}/stage of an id that is none; the receiver takes all others"""

    def put(self, request: Request, image_id: str) -> Response:
        raise NotFound("Image", image_id, f"No image found with ID {image_id}")


class ImageFileView(ImageStageView):
    """GET, PUT and DELETE /v2/images/{image_id}/file of an id that is none; the receiver takes all others"""

    get = delete = ImageStageView.put


class ImageActionView(ImageView):
    """POST /v2/images/{image_id}/actions/deactivate and .../reactivate"""

    action = "deactivate"

    def post(self, request: Request, image_id: str) -> Response:
        image = selectors.get_image(self.ctx, image_id)
        {"deactivate": registry.deactivate, "reactivate": registry.reactivate}[self.action](ctx=self.ctx, image=image)
        return Response(status=204)


class ImageTagView(ImageView):
    """PUT and DELETE /v2/images/{image_id}/tags/{tag}"""

    def put(self, request: Request, image_id: str, tag: str) -> Response:
        registry.add_tag(ctx=self.ctx, image=selectors.get_image(self.ctx, image_id), name=tag)
        return Response(status=204)

    def delete(self, request: Request, image_id: str, tag: str) -> Response:
        registry.remove_tag(ctx=self.ctx, image=selectors.get_image(self.ctx, image_id), name=tag)
        return Response(status=204)
