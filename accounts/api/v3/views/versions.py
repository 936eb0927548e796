"""GET /identity and /identity/v3: what clients look at first. Links use the address by which the client came."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.v3.views.base import IdentityView

MEDIA_TYPE = {"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}


class _VersionView(IdentityView):
    public = True

    def version(self) -> dict[str, Any]:
        """Return the document of version 3."""
        return {
            "id": "v3.14",
            "status": "stable",
            "updated": "2020-04-07T00:00:00Z",
            "links": [{"rel": "self", "href": self.link("")}],
            "media-types": [MEDIA_TYPE],
        }


class VersionsView(_VersionView):
    """GET /identity: the choice, 300."""

    def get(self, request: Request) -> Response:
        response = Response({"versions": {"values": [self.version()]}}, status=300)
        response["Location"] = self.link("")
        return response


class VersionView(_VersionView):
    """GET /identity/v3: the one version, 200."""

    def get(self, request: Request) -> Response:
        return Response({"version": self.version()})
