"""The outermost middleware: a request id on everything, one access line per request."""

from collections.abc import Callable

from django.http import HttpResponse

from portal.core import log, statements
from portal.core.context import REQUEST_ID, new_request_id
from portal.core.requests import CloudRequest


class RequestIdMiddleware:
    """Give each request an id, remember the caller's own, and log one line without query strings."""

    def __init__(self, get_response: Callable[[CloudRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: CloudRequest) -> HttpResponse:
        request.request_id = new_request_id()
        theirs = request.headers.get("X-OpenStack-Request-ID", "")
        request.global_request_id = theirs if REQUEST_ID.match(theirs) else None
        call = log.Call(request.method or "-", request.path, request.META.get("REMOTE_ADDR", "-"))
        with log.bound(request_id=request.request_id, service=call.service), statements.logged():
            response = self.get_response(request)
            call.caller = vars(request).get("ctx")  # as far as something asked: a picture of a page does not cost a session
            log.answered(call, response.status_code)
        response["X-OpenStack-Request-ID"] = request.request_id
        if request.path.startswith("/compute/"):
            response["X-Compute-Request-ID"] = request.request_id
        return response
