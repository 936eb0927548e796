"""The actions log as the compute API shows it (compute API reference, "Servers actions")."""

from typing import Any

from compute.api.v2_1 import versions
from compute.api.v2_1.presenters.servers import host_id, microsecond
from compute.models import ActionEvent, ServerAction
from portal.core.versions import Version

_WORDS = {"reboot_hard": "reboot"}


def action(row: ServerAction, version: Version) -> dict[str, Any]:
    """Return an action as the list shows it."""
    body = {
        "action": _WORDS.get(row.action, row.action),
        "instance_uuid": row.server_id,
        "message": row.message,
        "project_id": row.project_id or "",
        "request_id": row.request_id,
        "start_time": microsecond(row.started_at),
        "user_id": row.user_id or "",
    }
    if version >= versions.ACTION_PAGES:
        body["updated_at"] = microsecond(row.updated_at or row.finished_at or row.started_at)
    return body


def event(
    row: ActionEvent, project_id: str, version: Version, *, with_host: bool, with_details: bool, with_traceback: bool
) -> dict[str, Any]:
    """Return one step of an action; host, details and traceback only for those whom rules let see them."""
    body = {
        "event": row.name,
        "start_time": microsecond(row.started_at),
        "finish_time": microsecond(row.finished_at),
        "result": row.result,
    }
    if with_traceback:
        body["traceback"] = None
    if version >= versions.EVENT_HOST:
        body["hostId"] = host_id(project_id, row.host)
        if with_host:
            body["host"] = row.host or ""
    if version >= versions.EVENT_DETAILS and with_details:
        body["details"] = row.detail or None
    return body
