"""What services raise. Each error knows its HTTP status and a sentence; renderers make OpenStack faults and page messages of it."""


class CloudError(Exception):
    """Base of all refusals and failures that a user is told about.

    ``kind`` is what the network service's clients know it by (Neutron's name of the exception); empty where the status says it all.
    """

    status = 500
    title = "Internal Server Error"

    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind


class BadRequest(CloudError):
    status = 400
    title = "Bad Request"


class Unauthorized(CloudError):
    status = 401
    title = "Unauthorized"

    def __init__(self, message: str = "The request you have made requires authentication.") -> None:
        super().__init__(message)


class Forbidden(CloudError):
    """A rule said no: ``rule`` is its name, ``reason`` the part that failed and who could help, in words."""

    status = 403
    title = "Forbidden"

    def __init__(self, message: str, rule: str = "", reason: str = "") -> None:
        super().__init__(message)
        self.rule = rule
        self.reason = reason


class QuotaExceeded(Forbidden):
    """A limit was reached; the message says which, what is used and what was asked."""


class NotFound(CloudError):
    """No such thing, or not the caller's to see: the same answer."""

    status = 404
    title = "Not Found"

    def __init__(self, kind: str, name: object, message: str | None = None) -> None:
        super().__init__(message or f"{kind} {name} could not be found.", f"{kind}NotFound" if kind else "")


class NotAcceptable(CloudError):
    status = 406
    title = "Not Acceptable"


class Conflict(CloudError):
    status = 409
    title = "Conflict"


class Gone(CloudError):
    """It was there once and will not come back."""

    status = 410
    title = "Gone"


class TooLarge(CloudError):
    status = 413
    title = "Request Entity Too Large"


class UnsupportedMediaType(CloudError):
    status = 415
    title = "Unsupported Media Type"


class NotOffered(CloudError):
    """A known request that this cloud, or this host, cannot fulfil."""

    status = 501
    title = "Not Implemented"


class Unavailable(CloudError):
    """A part that this needs does not answer now; asking again later may work."""

    status = 503
    title = "Service Unavailable"
