"""Version discovery: GET /network, /network/ and /network/v2.0, open to all (Networking API, "API versions")."""

from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api.views import CloudView, UnknownAddress

_COLLECTIONS = {
    "network": "networks",
    "subnet": "subnets",
    "port": "ports",
    "security-group": "security-groups",
    "security-group-rule": "security-group-rules",
    "extension": "extensions",
    "quota": "quotas",
}


class VersionsView(CloudView):
    """The versions there are: one."""

    service = "network"
    public = True

    def get(self, request: Request) -> Response:
        link = {"rel": "self", "href": request.build_absolute_uri("/network/v2.0/")}
        return Response({"versions": [{"id": "v2.0", "status": "CURRENT", "links": [link]}]})


class ResourcesView(CloudView):
    """What v2.0 has."""

    service = "network"
    public = True

    def get(self, request: Request) -> Response:
        resources = [
            {
                "name": name,
                "collection": plural,
                "links": [{"rel": "self", "href": request.build_absolute_uri(f"/network/v2.0/{plural}")}],
            }
            for name, plural in _COLLECTIONS.items()
        ]
        return Response({"resources": resources})


class UnknownView(UnknownAddress):
    """Every other address under the prefix: 404 in this service's form."""

    service = "network"
