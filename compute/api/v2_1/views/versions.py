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


def _legacy(request: Request) -> dict[str, Any]:
    return {
        "id": "v2.0",
        "status": "SUPPORTED",
        "version": "",
        "min_version": "",
        "updated": "2011-01-21T11:33:21Z",
        "links": [{"rel": "self", "href": request.build_absolute_uri(f"{PREFIX}/v2/")}],
    }


class VersionsView(CloudView):
    """GET /compute and /compute/: the versions there are."""

    service = "compute"
    public = True

    def get(self, request: Request) -> Response:
        return Response({"versions": [_legacy(request), _document(request)]})


class VersionView(CloudView):
    """GET /compute/v2.1 and /compute/v2.1/; with ``legacy`` the same of /compute/v2, which has no microversions."""

    service = "compute"
    public = True
    legacy = False

    def get(self, request: Request) -> Response:
        document = _legacy(request) if self.legacy else _document(request)
        kind = f"application/vnd.openstack.compute+json;version={document['id'].removeprefix('v').removesuffix('.0')}"
        document["media-types"] = [{"base": "application/json", "type": kind}]
        document["links"].append({"rel": "describedby", "type": "text/html", "href": request.build_absolute_uri("/api/docs/")})
        return Response({"version": document})


class UnknownView(ComputeView):
    """Every other address under the prefix: 404 in this service's form."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound("Resource", "", "The resource could not be found.")
