"""Version documents, open to all (compute API reference, "API Versions")."""

from dataclasses import dataclass
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from compute.api.v2_1 import versions
from compute.api.v2_1.base import PREFIX, ComputeView
from portal.core.api.views import CloudView, UnknownAddress


@dataclass(frozen=True)
class Api:
    """One version of the API; ``newest`` and ``oldest`` are microversions, empty where there are none."""

    id: str
    path: str
    status: str
    media_type: str
    updated: str
    newest: str = ""
    oldest: str = ""


OLDER = Api("v2.0", "v2", "SUPPORTED", "2", "2011-01-21T11:33:21Z")
CURRENT = Api("v2.1", "v2.1", "CURRENT", "2.1", "2013-07-23T11:33:21Z", str(versions.MAX), str(versions.MIN))


def _document(request: Request, api: Api) -> dict[str, Any]:
    return {
        "id": api.id,
        "status": api.status,
        "version": api.newest,
        "min_version": api.oldest,
        "updated": api.updated,
        "links": [{"rel": "self", "href": request.build_absolute_uri(f"{PREFIX}/{api.path}/")}],
    }


class VersionsView(CloudView):
    """GET /compute and /compute/: the versions there are."""

    service = "compute"
    public = True

    def get(self, request: Request) -> Response:
        return Response({"versions": [_document(request, api) for api in (OLDER, CURRENT)]})


class VersionView(CloudView):
    """GET /compute/v2.1 and /compute/v2.1/, and the same of v2."""

    service = "compute"
    public = True
    api = CURRENT

    def get(self, request: Request) -> Response:
        document = _document(request, self.api)
        kind = f"application/vnd.openstack.compute+json;version={self.api.media_type}"
        document["media-types"] = [{"base": "application/json", "type": kind}]
        document["links"].append({"rel": "describedby", "type": "text/html", "href": request.build_absolute_uri("/api/docs/")})
        return Response({"version": document})


class UnknownView(UnknownAddress, ComputeView):
    """Every other address under the prefix: 404 in this service's form."""
