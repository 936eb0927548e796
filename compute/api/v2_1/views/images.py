"""Images and their properties for older clients (compute API reference, "Images (DEPRECATED)"): the image service does the work."""

from typing import Any

from django.db.models import Q
from rest_framework.request import Request
from rest_framework.response import Response

from compute.api.v2_1 import versions
from compute.api.v2_1.base import PAGING, ComputeView, moment
from compute.api.v2_1.presenters import images as present
from compute.api.v2_1.serializers.base import read
from compute.api.v2_1.serializers.others import Metadata, MetadataItem
from compute.services import quotas
from images import policies, selectors
from images.models import Image, ImageProperty
from images.models.property import HEAD
from images.narrowing import Condition, equal, fits, related
from images.services import protections, registry
from images.services.patches import Change
from portal.core.errors import BadRequest, NotFound
from portal.core.policy import authorize

_PROPERTY = "property-"
_NAMED = {"server": "instance_uuid", "type": "image_type"}
_NUMBERS = {"minRam": "min_ram", "minDisk": "min_disk"}
_ORDER = [("created_at", True), ("id", True)]
_MOST_FILTERS = 64
_BIGGEST = 2**31 - 1


class _ImagesBase(ComputeView):
    until = versions.LAST_IMAGES

    def check_query(self, request: Request, known: frozenset[str] | None) -> None:
        super().check_query(request, None)

    def image(self, image_id: str) -> Image:
        """Return an image the caller may see; raises NotFound."""
        try:
            return selectors.get_image(self.ctx, image_id)
        except NotFound as error:
            raise NotFound("Image", image_id, "Image not found.") from error

    def properties(self, image: Image) -> dict[str, str]:
        """Return those of its properties that the caller may see."""
        return protections.reader(self.ctx)(image.custom)

    def found(self) -> tuple[list[Image], Image | None]:
        """Return one page of the images that the query asks for."""
        authorize(self.ctx, policies.GET_IMAGES)
        rows = selectors.images_listed(self.ctx, self._conditions()).with_details()
        marker = None
        if "marker" in self.params:
            marker = selectors.images_visible(self.ctx, visibility=selectors.ALL).filter(pk=self.params["marker"]).first()
            if marker is None:
                raise BadRequest(f"marker [{self.params['marker'][:50]}] not found")
        return self.page(rows, _ORDER, marker)

    def _conditions(self) -> list[Condition]:
        if len(self.params) > _MOST_FILTERS:
            raise BadRequest(f"At most {_MOST_FILTERS} filters can be asked for at once.")
        found = [self._condition(name, str(self.params[name])) for name in self.params if name not in PAGING]
        return [condition for condition in found if condition is not None]

    def _condition(self, name: str, value: str) -> Condition | None:
        if name == "name":
            return equal(name=value)
        if name == "status":
            return equal(status=value.lower())
        if name == "changes-since":
            return equal(updated_at__gte=moment(value, name))
        if name in _NUMBERS:
            return equal(**{_NUMBERS[name]: _number(name, value)})
        if name in _NAMED or name.startswith(_PROPERTY):
            return self._property(_NAMED.get(name, name.removeprefix(_PROPERTY)), value)
        return None

    def _property(self, name: str, value: str) -> Condition:
        if protections.is_hidden(self.ctx, name):
            return fits(Q(pk__in=[]))
        word = value.rpartition("/")[2] if name == "instance_uuid" else value
        return related(ImageProperty.objects.filter(name=name, head=word[:HEAD], value=word))

    def collection(self, shown: list[dict[str, Any]], last: Image | None) -> Response:
        body: dict[str, Any] = {"images": shown}
        if last is not None:
            body["images_links"] = self.next_links(last.pk)
        return Response(body)


def _number(name: str, value: str) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 10 or int(value) > _BIGGEST:
        raise BadRequest(f"Invalid input for query parameters {name}. Value: {value[:50]}.")
    return int(value)


class ImagesView(_ImagesBase):
    """GET /images."""

    def get(self, request: Request) -> Response:
        images, last = self.found()
        return self.collection([present.brief(self.addresses, image) for image in images], last)


class ImagesDetailView(_ImagesBase):
    """GET /images/detail."""

    def get(self, request: Request) -> Response:
        images, last = self.found()
        return self.collection([present.detail(self.addresses, image, self.properties(image)) for image in images], last)


class ImageView(_ImagesBase):
    """GET and DELETE /images/{id}."""

    def get(self, request: Request, image_id: str) -> Response:
        image = self.image(image_id)
        return Response({"image": present.detail(self.addresses, image, self.properties(image))})

    def delete(self, request: Request, image_id: str) -> Response:
        registry.delete(ctx=self.ctx, image=self.image(image_id))
        return Response(status=204)


class _MetadataBase(_ImagesBase):
    until = versions.LAST_IMAGE_METADATA

    def change(self, image: Image, wanted: dict[str, str]) -> None:
        """Make these the image's properties, as far as the caller sees them."""
        quotas.admit_image_metadata(self.ctx.project_id or "", wanted)
        present_ones = self.properties(image)
        gone = [Change("remove", name) for name in present_ones if name not in wanted]
        new = [Change("add", name, value) for name, value in wanted.items() if present_ones.get(name) != value]
        if gone or new:
            registry.update(ctx=self.ctx, image=image, changes=[*gone, *new])


class ImageMetadataView(_MetadataBase):
    """GET, POST and PUT /images/{id}/metadata."""

    def get(self, request: Request, image_id: str) -> Response:
        return Response({"metadata": self.properties(self.image(image_id))})

    def post(self, request: Request, image_id: str) -> Response:
        items = read(Metadata, request.data, self.version)["metadata"]
        image = self.image(image_id)
        wanted = {**self.properties(image), **items}
        self.change(image, wanted)
        return Response({"metadata": wanted})

    def put(self, request: Request, image_id: str) -> Response:
        items = read(Metadata, request.data, self.version)["metadata"]
        self.change(self.image(image_id), items)
        return Response({"metadata": items})


class ImageMetadataItemView(_MetadataBase):
    """GET, PUT and DELETE /images/{id}/metadata/{key}."""

    def get(self, request: Request, image_id: str, key: str) -> Response:
        return Response({"meta": {key: self._item(self.properties(self.image(image_id)), key)}})

    def put(self, request: Request, image_id: str, key: str) -> Response:
        items = read(MetadataItem, request.data, self.version)["meta"]
        if list(items) != [key]:
            raise BadRequest("Request body and URI mismatch")
        image = self.image(image_id)
        self.change(image, {**self.properties(image), **items})
        return Response({"meta": items})

    def delete(self, request: Request, image_id: str, key: str) -> Response:
        image = self.image(image_id)
        items = self.properties(image)
        self._item(items, key)
        self.change(image, {name: value for name, value in items.items() if name != key})
        return Response(status=204)

    def _item(self, items: dict[str, str], key: str) -> str:
        if key not in items:
            raise NotFound("Metadata item", key, "Metadata item was not found")
        return items[key]
