"""How each service words a refusal on the wire: one renderer per OpenStack service, one table of names."""

from collections.abc import Callable
from typing import Any

from portal.core.errors import CloudError

Body = dict[str, Any]

_COMPUTE_NAMES = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    501: "notImplemented",
    503: "serviceUnavailable",
}
_NETWORK_TYPES = {
    400: "HTTPBadRequest",
    401: "HTTPUnauthorized",
    403: "PolicyNotAuthorized",
    404: "HTTPNotFound",
    405: "HTTPMethodNotAllowed",
    409: "HTTPConflict",
    413: "HTTPRequestEntityTooLarge",
    415: "HTTPUnsupportedMediaType",
    500: "HTTPInternalServerError",
    501: "HTTPNotImplemented",
    503: "HTTPServiceUnavailable",
}


def identity(error: CloudError) -> Body:
    """Keystone's form: ``{"error": {code, title, message}}``."""
    return {"error": {"code": error.status, "title": error.title, "message": error.message}}


def compute(error: CloudError) -> Body:
    """Nova's form: one object named by the status."""
    name = _COMPUTE_NAMES.get(error.status, "computeFault")
    return {name: {"code": error.status, "message": error.message}}


def image(error: CloudError) -> Body:
    """Glance's form for clients that accept JSON."""
    return {"code": f"{error.status} {error.title}", "title": error.title, "message": error.message}


def network(error: CloudError) -> Body:
    """Neutron's form: ``{"NeutronError": {type, message, detail}}``."""
    kind = error.kind or _NETWORK_TYPES.get(error.status, "HTTPError")
    return {"NeutronError": {"type": kind, "message": error.message, "detail": ""}}


RENDERERS: dict[str, Callable[[CloudError], Body]] = {
    "identity": identity,
    "compute": compute,
    "image": image,
    "network": network,
}


def render(service: str, error: CloudError) -> Body:
    """Return the body in which ``service`` tells ``error`` to a client."""
    return RENDERERS[service](error)
