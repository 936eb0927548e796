"""What else changes when an operation ended well, beside the states that the table gives."""

import logging
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from compute.messages import OperationFinished
from compute.models import Server
from compute.network.services import ports
from compute.services import copy_outcomes, migrations, rebuilt
from compute.states import TRANSITIONS, Action

LOG = logging.getLogger(__name__)

Outcome = Callable[[Server, OperationFinished], dict[str, Any]]


def _built(server: Server, report: OperationFinished) -> dict[str, Any]:
    ports.bind(server.pk, report.host, up=True)
    seconds = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in report.timings.items()) or "no timings"
    LOG.info("Instance %s was built on %s: %s", server.pk, report.host, seconds)
    return {"launched_at": timezone.now()}


_OUTCOMES: dict[Action, Outcome] = {
    Action.CREATE: _built,
    **copy_outcomes.OUTCOMES,
    **migrations.OUTCOMES,
}


def changes(server: Server, report: OperationFinished) -> dict[str, Any]:
    """Return the fields of the server that the operation changed; ``vm_state`` among them goes before the table's."""
    outcome = _OUTCOMES.get(report.action)
    found = {} if outcome is None else outcome(server, report)
    return found | rebuilt.shown(server, TRANSITIONS[report.action].then)
