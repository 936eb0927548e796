"""Host aggregates (compute API reference, "Host aggregates")."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from compute import host_selectors, policies
from compute.api.v2_1 import versions
from compute.api.v2_1.base import ComputeView, number
from compute.api.v2_1.presenters import aggregates as present
from compute.api.v2_1.serializers import aggregates as bodies
from compute.api.v2_1.serializers.base import read
from compute.models import Aggregate
from compute.services import aggregates
from images.selectors import get_image
from portal.core.errors import BadRequest, NotFound
from portal.core.policy import Rule


class _AggregateBase(ComputeView):
    def found(self, aggregate_id: str, rule: Rule) -> Aggregate:
        return host_selectors.get_aggregate(self.ctx, number(aggregate_id, "id"), rule)

    def shown(self, aggregate: Aggregate) -> Response:
        return Response({"aggregate": present.aggregate(aggregate, self.version)})


class AggregatesView(_AggregateBase):
    """GET and POST /os-aggregates."""

    def get(self, request: Request) -> Response:
        rows = host_selectors.aggregates(self.ctx, policies.AGGREGATES_INDEX)
        return Response({"aggregates": [present.aggregate(row, self.version) for row in rows]})

    def post(self, request: Request) -> Response:
        body = read(bodies.AggregateCreate, request.data, self.version)["aggregate"]
        made = aggregates.create(ctx=self.ctx, name=body["name"], zone=body.get("availability_zone"))
        return Response({"aggregate": present.created(made, self.version)})


class AggregateView(_AggregateBase):
    """GET, PUT and DELETE /os-aggregates/{id}."""

    def get(self, request: Request, aggregate_id: str) -> Response:
        return self.shown(self.found(aggregate_id, policies.AGGREGATES_SHOW))

    def put(self, request: Request, aggregate_id: str) -> Response:
        body = read(bodies.AggregateUpdate, request.data, self.version)["aggregate"]
        aggregate = self.found(aggregate_id, policies.AGGREGATES_UPDATE)
        changes = {{"availability_zone": "zone"}.get(key, key): value for key, value in body.items()}
        return self.shown(aggregates.update(ctx=self.ctx, aggregate=aggregate, changes=changes))

    def delete(self, request: Request, aggregate_id: str) -> Response:
        aggregates.delete(ctx=self.ctx, aggregate=self.found(aggregate_id, policies.AGGREGATES_DELETE))
        return Response(status=200)


class AggregateActionView(_AggregateBase):
    """POST /os-aggregates/{id}/action: hosts in and out, metadata."""

    def post(self, request: Request, aggregate_id: str) -> Response:
        body: Any = request.data
        name = next(iter(body), "") if isinstance(body, dict) and len(body) == 1 else ""
        acts = {"add_host": self._add_host, "remove_host": self._remove_host, "set_metadata": self._set_metadata}
        if name not in acts:
            raise BadRequest(f"There is no such action: {str(name)[:50]}")
        return self.shown(acts[name](aggregate_id, body[name]))

    def _add_host(self, aggregate_id: str, body: Any) -> Aggregate:
        host = read(bodies.HostBody, body, self.version)["host"]
        aggregate = self.found(aggregate_id, policies.AGGREGATES_ADD_HOST)
        return aggregates.add_host(ctx=self.ctx, aggregate=aggregate, host=host)

    def _remove_host(self, aggregate_id: str, body: Any) -> Aggregate:
        host = read(bodies.HostBody, body, self.version)["host"]
        aggregate = self.found(aggregate_id, policies.AGGREGATES_REMOVE_HOST)
        return aggregates.remove_host(ctx=self.ctx, aggregate=aggregate, host=host)

    def _set_metadata(self, aggregate_id: str, body: Any) -> Aggregate:
        changes = read(bodies.MetadataBody, body, self.version)["metadata"]
        aggregate = self.found(aggregate_id, policies.AGGREGATES_SET_METADATA)
        return aggregates.set_metadata(ctx=self.ctx, aggregate=aggregate, changes=changes)


class AggregateImagesView(_AggregateBase):
    """POST /os-aggregates/{id}/images, from 2.81: hosts fetch images before any server needs them."""

    since = versions.AGGREGATE_IMAGES

    def post(self, request: Request, aggregate_id: str) -> Response:
        wanted = read(bodies.AggregateImages, request.data, self.version)["cache"]
        aggregate = self.found(aggregate_id, policies.AGGREGATES_IMAGES)
        try:
            images = [get_image(self.ctx, image["id"]) for image in wanted]
        except NotFound as error:
            raise BadRequest(error.message) from error
        aggregates.cache_images(ctx=self.ctx, aggregate=aggregate, images=images)
        return Response(status=202)
