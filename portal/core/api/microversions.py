"""Microversions: the small steps of an API that a client asks for by header.

Follows the API-SIG guideline "Microversion Specification" and the compute API reference ("Versions").
"""

from typing import Any, ClassVar, cast

from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api.views import CloudView
from portal.core.errors import NotAcceptable, NotFound
from portal.core.requests import CloudRequest
from portal.core.versions import Version


def requested(request: Request, service_type: str, legacy_header: str) -> str | None:
    """Return the version text a client sent for this service, by the new header or the older one."""
    for part in request.headers.get("OpenStack-API-Version", "").split(","):
        words = part.split()
        if len(words) == 2 and words[0].lower() == service_type:
            return words[1]
    return request.headers.get(legacy_header) if legacy_header else None


class MicroversionedView(CloudView):
    """A view whose answers depend on ``request.api_version``; the version is echoed and stands in Vary.

    Outside of ``since`` and ``until``, both included, the address does not exist.
    """

    service_type: ClassVar[str]
    legacy_header: ClassVar[str] = ""
    min_version: ClassVar[Version]
    max_version: ClassVar[Version]
    since: ClassVar[Version | None] = None
    until: ClassVar[Version | None] = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        version = self.negotiate(request)
        cast(CloudRequest, request._request).api_version = version
        super().initial(request, *args, **kwargs)
        if (self.since and version < self.since) or (self.until and version > self.until):
            raise NotFound("Resource", "", "The resource could not be found.")

    def negotiate(self, request: Request) -> Version:
        """Return the version to speak; raises NotAcceptable outside of what is offered."""
        text = requested(request, self.service_type, self.legacy_header)
        if text is None:
            return self.min_version
        if text == "latest":
            return self.max_version
        version = Version.parse(text)
        if not self.min_version <= version <= self.max_version:
            raise NotAcceptable(
                f"Version {version} is not supported by the API. Minimum is {self.min_version} and maximum is {self.max_version}."
            )
        return version

    def has_microversions(self, request: Request) -> bool:
        """Whether the address of the request is one where versions are negotiated, and told."""
        return True

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        if not self.has_microversions(request):
            return response
        version = getattr(request._request, "api_version", self.min_version)
        response["OpenStack-API-Version"] = f"{self.service_type} {version}"
        vary = "OpenStack-API-Version"
        if self.legacy_header:
            response[self.legacy_header] = str(version)
            vary += f", {self.legacy_header}"
        response["Vary"] = vary
        return response
