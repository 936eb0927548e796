"""Who asks, for which project: the one argument that every service takes."""

import re
import uuid
from dataclasses import dataclass, field
from typing import Any

REQUEST_ID = re.compile(r"^req-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")


def new_request_id() -> str:
    """Return a fresh ``req-<uuid>``."""
    return f"req-{uuid.uuid4()}"


@dataclass(frozen=True)
class RequestContext:
    """The caller and the scope of one request.

    ``roles`` holds role names, implied ones included. Without a scope (an unscoped token) ``project_id``, ``domain_id`` and
    ``system_scope`` are all None. With ``restricted`` the caller acts by what somebody lent him, and must not lend it on;
    ``access_rules`` (service type, method, path) are then all that he may ask for, None meaning everything.
    """

    request_id: str = field(default_factory=new_request_id)
    global_request_id: str | None = None
    user_id: str | None = None
    user_name: str = ""
    user_domain_id: str | None = None
    user_domain_name: str = ""
    project_id: str | None = None
    project_name: str = ""
    project_domain_id: str | None = None
    project_domain_name: str = ""
    domain_id: str | None = None
    domain_name: str = ""
    system_scope: str | None = None
    roles: frozenset[str] = frozenset()
    remote_address: str | None = None
    application_credential_id: str | None = None
    trust_id: str | None = None
    trustor_id: str | None = None
    restricted: bool = False
    access_rules: tuple[tuple[str, str, str], ...] | None = None

    @property
    def is_operator(self) -> bool:
        """Whether the caller runs the cloud: the role admin in the present scope."""
        return "admin" in self.roles

    @classmethod
    def for_operator(cls, user: Any, request_id: str | None = None) -> "RequestContext":
        """Return the context in which the administration site acts for a signed-in operator."""
        return cls(
            request_id=request_id or new_request_id(),
            user_id=user.pk,
            user_name=user.name,
            user_domain_id=user.domain_id,
            system_scope="all",
            roles=frozenset({"admin", "manager", "member", "reader"}),
        )

    @classmethod
    def for_conductor(cls, request_id: str) -> "RequestContext":
        """Return the context in which the conductor finishes what a user began."""
        return cls(request_id=request_id, user_name="conductor", system_scope="all", roles=frozenset({"admin", "service"}))

    def credentials(self) -> dict[str, Any]:
        """Return the caller as oslo.policy's credentials."""
        return {
            "user_id": self.user_id,
            "user_domain_id": self.user_domain_id,
            "project_id": self.project_id,
            "tenant": self.project_id,
            "project_domain_id": self.project_domain_id,
            "domain_id": self.domain_id,
            "system_scope": self.system_scope,
            "roles": sorted(self.roles),
            "is_admin": self.is_operator,
            "is_admin_project": True,
            "trust_id": self.trust_id,
            "trustor_id": self.trustor_id,
            "token": {
                "user": {"id": self.user_id, "domain": {"id": self.user_domain_id}},
                "project": {"id": self.project_id, "domain": {"id": self.project_domain_id}},
                "domain": {"id": self.domain_id},
            },
        }
