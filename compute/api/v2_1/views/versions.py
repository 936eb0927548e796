"""Version documents, open to all (compute API reference, "API Versions")."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from compute.api.v2_1 import versions
from compute.api.v2_1.base import PREFIX, ComputeView
from portal.core.api.views import CloudView
from portal.core.errors import NotFound


def _document(request: Request) -> dict[str, Any]:
    return {
        "id": "v2.1",
        "status": "CURRENT",
        "version": str(versions.MAX),
        "min_version": str(versions.MIN),
        "updated": "2013-07-23T11:33:21Z",
        "links": [{"rel": "self", "href": request.build_absolute_uri(f"{PREFIX}/v2.1/")}],
    }


class VersionsView(CloudView):
    """GET /compute and /compute/: the versions there are."""

    service = "compute"
    public = True

    def get(self, request: Request) -> Response:
        return Response({"versions": [_document(request)]})


class VersionView(CloudView):
    """GET /compute/v2.1 and /compute/v2.1/."""

    service = "compute"
    public = True

    def get(self, request: Request) -> Response:
        document = _document(request)
        document["media-types"] = [{"base": "application/json", "type": "application/vnd.openstack.compute+json;version=2.1"}]
        document["links"].append({"rel": "describedby", "type": "text/html", "href": request.build_absolute_uri("/api/docs/")})
        return Response({"version": document})


class UnknownView(ComputeView):
    """Every other address under the prefix: 404 in this service's form."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound("Resource", "", "The resource could not be found.")
