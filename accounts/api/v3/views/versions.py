"""GET /identity and /identity/v3: what clients look at first. Links use the address by which the client came."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.v3.views.base import IdentityView
from portal.core.errors import NotFound

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


class UnknownView(IdentityView):
    """Any address below /identity that is none of this API's: 404 in its own form."""

    public = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound("resource", "", f"({request.build_absolute_uri(request.path)}): The resource could not be found.")

    def get(self, request: Request, rest: str) -> Response:
        """Never reached: ``initial`` refuses whatever the method is."""
        raise NotFound("resource", rest)
