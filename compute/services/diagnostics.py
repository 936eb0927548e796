"""What the hypervisor counts of a running server."""

from typing import Any

import msgspec

from compute import policies
from compute.messages import DIAGNOSTICS
from compute.models import Server
from compute.services import questions
from compute.virt.diagnostics import Diagnostics
from portal.core.context import RequestContext
from portal.core.errors import Unavailable
from portal.core.policy import authorize


def read(*, ctx: RequestContext, server: Server) -> Diagnostics:
    """Return the counters as they stand now; raises Conflict for a server that does not run."""
    authorize(ctx, policies.DIAGNOSTICS, server)
    found: dict[str, Any] = questions.ask(server, DIAGNOSTICS)
    try:
        return msgspec.convert(found, Diagnostics)
    except msgspec.ValidationError as error:
        raise Unavailable(f"The host of instance {server.pk} counts in a way that is not understood.") from error
