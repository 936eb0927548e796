"""What a rebuild left on a server's disks, as its host tells it, also of one that was cut off.

A rebuild writes image, key and data into the row at once, but it may never be carried out: a deletion that can be taken back, or
a restart after the host was silent for too long, goes before it, and a host drops what was overtaken. What the row said before is
therefore kept until the host tells of this rebuild. The other way, to have a cut-off rebuild carried out first or again, was not
taken: who restores a server wants back what he deleted, and a rebuild that comes late would overwrite what was written since.
"""

import logging
from typing import Any

from compute import notify
from compute.messages import UNTOUCHED, OperationFinished
from compute.models import Server
from compute.services import failures
from compute.states import VmState

LOG = logging.getLogger(__name__)

IN_PART = "A rebuild was cut off and failed: which of the disks are new is not known. Rebuild the instance again."
_REQUEST, _FORMER, _IN_PART = "request_id", "former", "in_part"


def kept(request_id: str, server: Server, columns: dict[str, Any]) -> dict[str, Any]:
    """Return what is kept of a rebuild that is about to write ``columns`` into the row."""
    return {_REQUEST: request_id, _FORMER: {name: getattr(server, name) for name in columns}}


def told(report: OperationFinished) -> None:
    """Have the row say what lies on the disks. Runs in the transaction that takes the report, before it closes the operation."""
    server = Server.objects.present().select_for_update().filter(pk=report.server_id, host=report.host).first()
    if server is None or server.rebuild.get(_REQUEST) != report.request_id:
        return
    changes: dict[str, Any] = {"rebuild": {}}
    if report.facts.get(UNTOUCHED):
        LOG.info("Instance %s was not rebuilt: it has the image that it had.", server.pk)
        changes |= server.rebuild.get(_FORMER, {})
    elif report.fault is not None and server.request_id != report.request_id:
        changes = _cut_off_in_part(server)
    Server.objects.filter(pk=server.pk).update(**changes)
    notify.server_changed(server)


def _cut_off_in_part(server: Server) -> dict[str, Any]:
    """Such a server must not seem to be well; one that is deleted or busy shows it once it is back."""
    if server.task_state is not None or server.vm_state == VmState.SOFT_DELETED:
        return {"rebuild": {_IN_PART: True}}
    return _shown(server)


def shown(server: Server, then: VmState | None) -> dict[str, Any]:
    """Return what else changes in a server that becomes ``then``, if a rebuild of it was cut off and failed."""
    hidden = then == VmState.SOFT_DELETED or not server.rebuild.get(_IN_PART)
    return {} if hidden else _shown(server)


def _shown(server: Server) -> dict[str, Any]:
    failures.write_fault(server, IN_PART)
    return {"vm_state": VmState.ERROR, "rebuild": {}}
