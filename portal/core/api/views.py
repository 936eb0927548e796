"""CloudView, the base of every API view: who asks is known, refusals are faults in the service's own form."""

import logging
from collections.abc import Iterable
from typing import Any, ClassVar, cast

from django.http import Http404
from rest_framework import exceptions, negotiation, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.core.api import codec, faults
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, CloudError, NotFound, Unauthorized
from portal.core.requests import CloudRequest

LOG = logging.getLogger(__name__)


class AlwaysJSON(negotiation.DefaultContentNegotiation):
    """OpenStack clients send any Accept; the answer is JSON."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class CloudView(APIView):
    """Base of API views. ``service`` chooses the form of faults; ``public`` opens a view to callers without a token."""

    service: ClassVar[str]
    public: ClassVar[bool] = False
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    parser_classes = (codec.JSONParser,)
    renderer_classes = (codec.JSONRenderer,)
    content_negotiation_class = AlwaysJSON

    @property
    def ctx(self) -> RequestContext:
        """The caller; a stranger gets no further than ``initial``, unless the view is public."""
        caller = cast(CloudRequest, self.request).ctx
        if caller is None:
            raise Unauthorized()
        return caller

    def perform_authentication(self, request: Request) -> None:
        """Leave it to ``ctx``: there is no other way to be known here."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not self.public:
            _ = self.ctx
        self._refuse_null_characters(kwargs.values())

    def _refuse_null_characters(self, keys: Iterable[object]) -> None:
        """Refuse what PostgreSQL takes in no question."""
        if any("\x00" in str(key) for key in keys):
            raise NotFound("", "", "The resource could not be found.")
        query = self.request._request.GET
        if any("\x00" in text for name, values in query.lists() for text in (name, *values)):
            raise BadRequest("A query must not contain null characters.")

    def handle_exception(self, exc: Exception) -> Response:
        error = as_cloud_error(exc)
        if error is None:
            LOG.exception("Unexpected error in %s", type(self).__name__)
            error = CloudError("An unexpected error prevented the server from fulfilling your request.")
        return self.fault(error)

    def fault(self, error: CloudError) -> Response:
        """Return the error as this service's fault."""
        response = Response(faults.render(self.service, error), status=error.status)
        if error.status == 401:
            response["WWW-Authenticate"] = f'Keystone uri="{self.request.build_absolute_uri("/identity/v3")}"'
        return response


def as_cloud_error(exc: Exception) -> CloudError | None:
    """Return what a client is told about an exception, or None when it is our own fault."""
    if isinstance(exc, CloudError):
        return exc
    if isinstance(exc, serializers.ValidationError):
        return BadRequest(sentence(exc.detail))
    if isinstance(exc, Http404):
        return NotFound("", "", "The resource could not be found.")
    if isinstance(exc, exceptions.APIException):
        error = CloudError(str(exc.detail))
        error.status = exc.status_code
        error.title = _TITLES.get(exc.status_code, error.title)
        return error
    return None


_TITLES = {400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 415: "Unsupported Media Type"}


def sentence(detail: Any, path: str = "") -> str:
    """Return the first complaint of a serializer as one sentence that names the field."""
    if isinstance(detail, dict):
        key, value = next(iter(detail.items()))
        if key == "non_field_errors":
            return sentence(value, path)
        return sentence(value, f"{path}/{key}" if path else str(key))
    if isinstance(detail, list):
        found = next((item for item in detail if item), "")
        return sentence(found, path)
    return f"Invalid input for field/attribute {path}. {detail}" if path else str(detail)


class UnknownAddress(CloudView):
    """Every other address under a service's prefix: 404 in its form, to whoever it would answer at all."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound("", "", "The resource could not be found.")
