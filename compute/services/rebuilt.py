"""What a rebuild left on a server's disks, as its host tells it, also of one that was cut off.

A rebuild writes image, key and data into the row at once, but it may never be carried out: a deletion that can be taken back, or
a restart after the host was silent for too long, goes before it, and a host drops what was overtaken. What the row said before is
therefore kept until the host tells of this rebuild. The other way, to have a cut-off rebuild carried out first or again, was not
taken: who restores a server wants back what he deleted, and a rebuild that comes late would overwrite what was written since.

``Server.rebuild`` holds ``pending``, the rebuilds of which nothing was told yet, oldest first, each with the columns as they were ``before``
it; and ``in_part`` once one that was cut off has failed.
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
OF_THE_DISK = ("image_id", "image_properties", "metadata", "key_name", "public_key", "user_data", "injected_files")


def begun(server: Server, request_id: str) -> dict[str, Any]:
    """Return what is kept of a server whose row a rebuild is about to change."""
    entry = {"request_id": request_id, "before": {name: getattr(server, name) for name in OF_THE_DISK}}
    return {**server.rebuild, "pending": [*server.rebuild.get("pending", []), entry]}


def told(report: OperationFinished) -> None:
    """Have the row say what lies on the disks. Runs in the transaction that takes the report, before it closes the operation."""
    server = Server.objects.present().select_for_update().filter(pk=report.server_id, host=report.host).first()
    pending = [] if server is None else server.rebuild.get("pending", [])
    place = next((at for at, entry in enumerate(pending) if entry["request_id"] == report.request_id), None)
    if server is None or place is None:
        return
    if report.facts.get(UNTOUCHED):
        changes = _dropped(server, pending, place)
    else:
        failed = report.fault is not None and server.request_id != report.request_id
        changes = {"rebuild": _kept(pending[place + 1 :], failed)}
    server.rebuild = changes["rebuild"]
    if server.task_state is None:
        changes |= shown(server, VmState(server.vm_state))
    Server.objects.filter(pk=server.pk).update(**changes)
    notify.server_changed(server)


def _dropped(server: Server, pending: list[dict[str, Any]], place: int) -> dict[str, Any]:
    """Return the columns after a rebuild that never began: as before it, or else the next one began from that."""
    LOG.info("Instance %s was not rebuilt: it has the image that it had.", server.pk)
    before, later = pending[place]["before"], pending[place + 1 :]
    row = {} if later else before
    rest = [{**entry, "before": before} for entry in later[:1]] + later[1:]
    return {**row, "rebuild": _kept(pending[:place] + rest, server.rebuild.get("in_part", False))}


def _kept(pending: list[dict[str, Any]], in_part: bool) -> dict[str, Any]:
    return ({"pending": pending} if pending else {}) | ({"in_part": True} if in_part else {})


def shown(server: Server, then: VmState | None) -> dict[str, Any]:
    """Return what else changes in a server that becomes ``then`` if a rebuild of it was cut off and failed: it must not seem to be well.

    One that is deleted shows it once it is restored.
    """
    if then == VmState.SOFT_DELETED or not server.rebuild.get("in_part"):
        return {}
    failures.write_fault(server, IN_PART)
    return {"vm_state": VmState.ERROR, "rebuild": _kept(server.rebuild.get("pending", []), in_part=False)}
