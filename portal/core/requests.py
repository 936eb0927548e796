"""Requests: which of them are an API's, and what our middleware adds to them, as a type."""

from django.http import HttpRequest

from portal.core.context import RequestContext
from portal.core.versions import Version

API_PREFIXES = ("identity", "image", "compute", "network")


def is_api(path: str) -> bool:
    """Whether an address belongs to one of the OpenStack APIs."""
    return path.lstrip("/").partition("/")[0] in API_PREFIXES


class CloudRequest(HttpRequest):
    """A request that knows its id, its caller and, under a microversioned API, its version. For annotations only."""

    request_id: str
    global_request_id: str | None
    ctx: RequestContext | None
    api_version: Version
