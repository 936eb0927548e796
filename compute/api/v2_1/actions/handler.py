"""What an action is to the view: it takes the checked way to a service and answers."""

from collections.abc import Callable
from typing import Any

from rest_framework.response import Response

from compute.models import Server
from portal.core.context import RequestContext
from portal.core.versions import Version

Handler = Callable[[RequestContext, Server, Any, Version], Response]

ACCEPTED = 202


def simple(perform: Callable[..., None]) -> Handler:
    """Return what calls a service that needs to know nothing more; whatever the body holds is ignored, as upstream does."""

    def handle(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
        perform(ctx=ctx, server=server)
        return Response(status=ACCEPTED)

    return handle
