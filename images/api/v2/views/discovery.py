"""What this service speaks and offers: versions, stores, import methods.

Follows the Image API reference, "Versions" and "Service info discovery".
"""

from contextlib import suppress
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from images import policies
from images.api.v2.views.base import ImageView
from images.services import limits
from images.stores import registry as stores
from images.stores.base import StoreError
from portal.core.api.views import UnknownAddress
from portal.core.policy import authorize

VERSIONS = (
    "v2.17", "v2.15", "v2.13", "v2.12", "v2.11", "v2.10", "v2.9", "v2.8", "v2.7", "v2.6", "v2.5", "v2.4", "v2.3", "v2.2", "v2.1", "v2.0",
)  # fmt: skip


class VersionsView(ImageView):
    """GET /, /versions and /v2/: 300 at the root, since a client has to choose there"""

    public = True
    status = 200

    def get(self, request: Request) -> Response:
        links = [{"rel": "self", "href": request.build_absolute_uri("/image/v2/")}]
        versions = [
            {"id": name, "status": "CURRENT" if name == VERSIONS[0] else "SUPPORTED", "links": links} for name in VERSIONS
        ]
        return Response({"versions": versions}, status=self.status)


class StoresView(ImageView):
    """GET /v2/info/stores"""

    def get(self, request: Request) -> Response:
        return Response({"stores": [_store(name) for name in stores.names()]})


class StoresDetailView(ImageView):
    """GET /v2/info/stores/detail"""

    def get(self, request: Request) -> Response:
        authorize(self.ctx, policies.GET_STORES)
        return Response({"stores": [_store(name) | _detail(name) for name in stores.names()]})


class ImportView(ImageView):
    """GET /v2/info/import"""

    def get(self, request: Request) -> Response:
        value = list(settings.IMAGE_IMPORT_METHODS)
        return Response({"import-methods": {"description": "Import methods available.", "type": "array", "value": value}})


class UsageView(ImageView):
    """GET /v2/info/usage: what the caller's project takes of its quotas"""

    def get(self, request: Request) -> Response:
        return Response({"usage": limits.usage(self.ctx.project_id) if self.ctx.project_id else {}})


class UnknownView(UnknownAddress, ImageView):
    """Every other address under the prefix: 404 in this service's form."""


def _detail(name: str) -> dict[str, Any]:
    shape: dict[str, Any] = {"type": stores.driver(name).kind, "weight": stores.weight(name), "properties": {}}
    with suppress(StoreError):  # one that is away has no properties now
        shape["properties"] = stores.get(name).properties()
    return shape


def _store(name: str) -> dict[str, Any]:
    shape: dict[str, Any] = {"id": name}
    options = settings.IMAGE_STORES[name]
    if "description" in options:
        shape["description"] = options["description"]
    if name == settings.IMAGE_DEFAULT_STORE:
        shape["default"] = "true"
    if stores.driver(name).read_only:
        shape["read-only"] = "true"
    return shape
