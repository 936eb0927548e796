"""What services raise. Each error knows its HTTP status and a sentence; renderers make OpenStack faults and page messages of it."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


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
        super().__init__(gettext("The request you have made requires authentication.") if message is None else message)


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


# What services and pages do not find, for the catalogue; lazy, since this module is imported without settings too.
# NotFound translates the word in its sentence, never in the fault's name.
KINDS = (
    _("Access list"), _("Action"), _("Aggregate"), _("Boot"), _("Definition"), _("Extra spec"), _("File"), _("Flavor"), _("Flavor access"),
    _("Host"), _("Image"), _("Image data"), _("Instance"), _("Instance group"), _("Keypair"), _("Kind"), _("Member"),
    _("Metadata item"), _("Method"), _("Namespace"), _("Network"), _("Object"), _("Port"), _("Project"), _("Property"),
    _("ResourceType"), _("SecurityGroup"), _("SecurityGroupRule"), _("Service"), _("Session"), _("Share"), _("Store"),
    _("Tab"), _("Tag"), _("Task"), _("TenantQuota"), _("Token"), _("access_rule"), _("application_credential"), _("consumer"),
    _("credential"), _("domain"), _("domain config"), _("endpoint"), _("endpoint group"), _("group"), _("implied_role"),
    _("limit"), _("policy"), _("policy association"), _("project"), _("project tag"), _("region"), _("registered limit"),
    _("role"), _("role assignment"), _("service"), _("token"), _("trust"), _("user"),
)  # fmt: skip


class NotFound(CloudError):
    """No such thing, or not the caller's to see: the same answer."""

    status = 404
    title = "Not Found"

    def __init__(self, kind: str, name: object, message: str | None = None) -> None:
        said = message or gettext("%(kind)s %(name)s could not be found.") % {"kind": gettext(kind), "name": name}
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
