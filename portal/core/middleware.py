"""The outermost middleware: a request id on everything, one access line per request."""

import logging
import time
from collections.abc import Callable

from django.http import HttpResponse

from portal.core import log
from portal.core.context import REQUEST_ID, new_request_id
from portal.core.requests import CloudRequest

ACCESS = logging.getLogger("nebulet.access")


class RequestIdMiddleware:
    """Give each request an id, remember the caller's own, and log one line without query strings."""

    def __init__(self, get_response: Callable[[CloudRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: CloudRequest) -> HttpResponse:
        request.request_id = new_request_id()
        theirs = request.headers.get("X-OpenStack-Request-ID", "")
        request.global_request_id = theirs if REQUEST_ID.match(theirs) else None
        started = time.perf_counter()
        with log.bound(request_id=request.request_id):
            response = self.get_response(request)
            took_ms = (time.perf_counter() - started) * 1000
            ACCESS.info(
                "%s %s %s %s %.1f ms",
                request.META.get("REMOTE_ADDR", "-"),
                request.method,
                request.path,
                response.status_code,
                took_ms,
            )
        response["X-OpenStack-Request-ID"] = request.request_id
        if request.path.startswith("/compute/"):
            response["X-Compute-Request-ID"] = request.request_id
        return response
