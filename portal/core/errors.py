"""What services raise. Each error knows its HTTP status and a sentence; renderers make OpenStack faults and page messages of it."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as mark


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

    def __init__(self, message: str | None = None) -> None:
        super().__init__(_("The request you have made requires authentication.") if message is None else message)


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


# What services and pages do not find, for the catalogue: NotFound translates the word in its sentence, never in the fault's name.
KINDS = (
    mark("Access list"), mark("Aggregate"), mark("Boot"), mark("Definition"), mark("Extra spec"), mark("File"), mark("Flavor"),
    mark("Flavor access"), mark("Host"), mark("Image"), mark("Image data"), mark("Instance"), mark("Instance group"),
    mark("Keypair"), mark("Kind"), mark("Member"), mark("Metadata item"), mark("Method"), mark("Namespace"), mark("Network"),
    mark("Object"), mark("Port"), mark("Project"), mark("Property"), mark("ResourceType"), mark("SecurityGroup"),
    mark("SecurityGroupRule"), mark("Service"), mark("Session"), mark("Share"), mark("Store"), mark("Tab"), mark("Tag"),
    mark("Task"), mark("TenantQuota"), mark("Token"), mark("access_rule"), mark("application_credential"), mark("consumer"),
    mark("credential"), mark("domain"), mark("domain config"), mark("endpoint"), mark("endpoint group"), mark("group"),
    mark("implied_role"), mark("limit"), mark("policy"), mark("policy association"), mark("project"), mark("project tag"),
    mark("region"), mark("registered limit"), mark("role"), mark("role assignment"), mark("service"), mark("token"),
    mark("trust"), mark("user"),
)  # fmt: skip


class NotFound(CloudError):
    """No such thing, or not the caller's to see: the same answer."""

    status = 404
    title = "Not Found"

    def __init__(self, kind: str, name: object, message: str | None = None) -> None:
        said = message or _("%(kind)s %(name)s could not be found.") % {"kind": _(kind), "name": name}
        super().__init__(said, f"{kind}NotFound" if kind else "")


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
