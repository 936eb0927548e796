"""/v3/regions, /v3/services and /v3/endpoints"""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors
from accounts.api.v3 import presenters
from accounts.api.v3.filters import narrow
from accounts.api.v3.serializers import EndpointShape, RegionShape, ServiceShape
from accounts.api.v3.views.base import CollectionView, MemberView
from accounts.models import CatalogService, Endpoint, Region
from accounts.services import catalog


class RegionsView(CollectionView):
    """GET and POST /v3/regions"""

    singular, plural, shape = "region", "regions", RegionShape
    present, create = presenters.region, catalog.create_region

    def rows(self) -> Any:
        return narrow(selectors.regions_visible(self.ctx), self.request.GET, others={"parent_region_id": "parent_id"})


class RegionView(MemberView):
    """GET, PATCH, PUT and DELETE /v3/regions/{id}"""

    model, singular, shape, present = Region, "region", RegionShape, presenters.region
    find, update, delete_row = selectors.get_region, catalog.update_region, catalog.delete_region

    def put(self, request: Request, key: str) -> Response:
        values = self.body("region", RegionShape) | {"id": key}
        region = catalog.create_region(ctx=self.ctx, **values)
        return Response({"region": presenters.region(region, self.link)}, status=201)


class ServicesView(CollectionView):
    """GET and POST /v3/services"""

    singular, plural, shape = "service", "services", ServiceShape
    present, create = presenters.service, catalog.create_service

    def rows(self) -> Any:
        return narrow(selectors.services_visible(self.ctx), self.request.GET, "name", "type")


class ServiceView(MemberView):
    """GET, PATCH and DELETE /v3/services/{id}"""

    model, singular, shape, present = CatalogService, "service", ServiceShape, presenters.service
    find, update, delete_row = selectors.get_service, catalog.update_service, catalog.delete_service


class EndpointsView(CollectionView):
    """GET and POST /v3/endpoints"""

    singular, plural, shape = "endpoint", "endpoints", EndpointShape
    present, create = presenters.endpoint, catalog.create_endpoint

    def rows(self) -> Any:
        return narrow(selectors.endpoints_visible(self.ctx), self.request.GET, "interface", "service_id", "region_id")


class EndpointView(MemberView):
    """GET, PATCH and DELETE /v3/endpoints/{id}"""

    model, singular, shape, present = Endpoint, "endpoint", EndpointShape, presenters.endpoint
    find, update, delete_row = selectors.get_endpoint, catalog.update_endpoint, catalog.delete_endpoint
