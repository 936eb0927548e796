"""Members: the projects an image is shared with.

Follows the Image API reference, "Sharing".
"""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from images import policies, selectors
from images.api.v2 import shapes
from images.api.v2.views.base import ImageView
from images.models import Image
from images.services import members
from images.states import Visibility
from portal.core.errors import BadRequest, Forbidden
from portal.core.policy import authorize


class MembersView(ImageView):
    """GET and POST /v2/images/{image_id}/members"""

    def get(self, request: Request, image_id: str) -> Response:
        image = _shared(selectors.get_image(self.ctx, image_id))
        authorize(self.ctx, policies.GET_MEMBERS, image)
        rows = selectors.members_visible(self.ctx, image)
        return Response({"members": [shapes.member(row) for row in rows], "schema": shapes.SCHEMA_MEMBERS})

    def post(self, request: Request, image_id: str) -> Response:
        member = _string(request.data, "member")
        image = selectors.get_image(self.ctx, image_id)
        return Response(shapes.member(members.add(ctx=self.ctx, image=image, member=member)))


class MemberView(ImageView):
    """GET, PUT and DELETE /v2/images/{image_id}/members/{member_id}"""

    def get(self, request: Request, image_id: str, member_id: str) -> Response:
        image = selectors.get_image(self.ctx, image_id)
        row = selectors.get_member(self.ctx, image, member_id)
        authorize(self.ctx, policies.GET_MEMBER, row)
        return Response(shapes.member(row))

    def put(self, request: Request, image_id: str, member_id: str) -> Response:
        status = _string(request.data, "status")
        image = _shared(selectors.get_image(self.ctx, image_id))
        row = selectors.get_member(self.ctx, image, member_id)
        return Response(shapes.member(members.answer(ctx=self.ctx, row=row, status=status)))

    def delete(self, request: Request, image_id: str, member_id: str) -> Response:
        image = _shared(selectors.get_image(self.ctx, image_id))
        row = selectors.get_member(self.ctx, image, member_id)
        members.remove(ctx=self.ctx, image=image, row=row)
        return Response(status=204)


def _shared(image: Image) -> Image:
    if image.visibility != Visibility.SHARED:
        raise Forbidden("Only shared images have members.")
    return image


def _string(body: Any, name: str) -> str:
    """Return the one member of a small body; raises BadRequest."""
    if not isinstance(body, dict) or not isinstance(body.get(name), str):
        raise BadRequest(f'Expected a body like {{"{name}": "..."}}')
    return str(body[name])
