"""One line for each request that was answered: who asked for what, what he got, how long it took."""

import logging
import time
from dataclasses import dataclass, field
from typing import Any

from portal.core.log.context import service_of

_TOKENS = "/os-console-auth-tokens/"  # the one address of which a secret is a part
_LONGEST = 500
_FORM = "%s %s %s %s %s %s %s ms"

ACCESS = logging.getLogger("nebulet.access")


@dataclass(slots=True)
class Call:
    """One request from its beginning. The path stands without its query, which may hold a token or a ticket."""

    method: str
    path: str
    address: str
    service: str = ""
    caller: Any = None
    began: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        self.service = self.service or service_of(self.path)
        before, secret_follows, _token = self.path[:_LONGEST].partition(_TOKENS)
        self.path = f"{before}{secret_follows}***" if secret_follows else before


def answered(call: Call, status: int | None) -> None:
    """Write the line; ``call.caller`` is the RequestContext of who asked, None for a stranger."""
    ms = round((time.perf_counter() - call.began) * 1000, 1)
    user = getattr(call.caller, "user_id", None)
    project = getattr(call.caller, "project_id", None)
    parts = {
        "address": call.address,
        "user": user,
        "project": project,
        "method": call.method,
        "path": call.path,
        "status": status,
        "ms": ms,
    }
    told = (call.address, user or "-", project or "-", call.method, call.path, status or "-", ms)
    extra = {"call": parts, "service": call.service}
    # Logger.info would walk the stack for the file and line of this very call, which is half of the whole cost.
    ACCESS.handle(ACCESS.makeRecord(ACCESS.name, logging.INFO, "", 0, _FORM, told, None, extra=extra))
