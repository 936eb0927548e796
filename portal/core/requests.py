"""What our middleware adds to Django's request, as a type."""

from django.http import HttpRequest

from portal.core.context import RequestContext
from portal.core.versions import Version


class CloudRequest(HttpRequest):
    """A request that knows its id, its caller and, under a microversioned API, its version. For annotations only."""

    request_id: str
    global_request_id: str | None
    ctx: RequestContext | None
    api_version: Version
