"""How far an operation is that takes its time, other than a first build: steps in its action's log, and a sign of life."""

from datetime import UTC, datetime

from django.db import transaction

from compute import notify
from compute.messages import BuildPhase
from compute.models import ActionEvent, Server, ServerAction
from compute.services.actions import SUCCEEDED, stage_name
from compute.states import TRANSITIONS, Action, TaskState

_COPIED = frozenset({Action.CREATE_IMAGE, Action.CREATE_BACKUP})


@transaction.atomic
def step(report: BuildPhase) -> bool:
    """Write a step of a running operation down; False when it is one of a first build, or of nothing that runs."""
    server = Server.objects.present().filter(pk=report.server_id, request_id=report.request_id, host=report.host).first()
    if server is None or server.task_state is None or server.operation in (None, Action.CREATE):
        return False
    action = Action(server.operation or Action.CREATE)
    shown = TaskState.IMAGE_UPLOADING if action in _COPIED and report.stage == TaskState.IMAGE_UPLOADING else None
    if Server.objects.go_on(server.pk, report.request_id, report.host, shown):
        _record(report, action)
        notify.server_changed(server)
    return True


def _record(report: BuildPhase, action: Action) -> None:
    """Reports may come twice and in any order: what was told last stands, and bytes never become fewer."""
    row = ServerAction.objects.filter(
        server_id=report.server_id, request_id=report.request_id, action=action, finished_at=None
    ).first()
    if row is None:
        return
    at = datetime.fromtimestamp(report.at, tz=UTC)
    name = stage_name(report.stage)
    event, made = ActionEvent.objects.get_or_create(action=row, name=name, defaults={"host": report.host, "started_at": at})
    if (report.bytes_done or 0) >= (event.bytes_done or 0):
        event.detail, event.bytes_done, event.bytes_total = report.detail, report.bytes_done, report.bytes_total
        event.save(update_fields=["detail", "bytes_done", "bytes_total"])
    if made:
        before = row.events.filter(finished_at=None, started_at__lte=at).exclude(name__in=[name, TRANSITIONS[action].event])
        before.update(finished_at=at, result=SUCCEEDED)
