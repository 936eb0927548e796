"""The actions log: what was asked of a server, what happened on the way, how it ended."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from django.utils import timezone

from compute.messages import BuildPhase
from compute.models import ActionEvent, Server, ServerAction
from compute.states import BUILD_STAGES, Action, OtherAction, TaskState, rule_of
from portal.core import faults
from portal.core.context import RequestContext, new_request_id
from portal.core.faults import Point

FAILED = "Error"
SUCCEEDED = "Success"

_STAGE_NAMES = [f"compute_{stage}" for stage in BUILD_STAGES]


def begin(ctx: RequestContext, server: Server, action: Action | OtherAction) -> ServerAction:
    """Write down that something was asked of a server."""
    now = timezone.now()
    row = ServerAction.objects.create(
        server=server,
        action=action,
        request_id=ctx.request_id,
        started_at=now,
        updated_at=now,
        **_asked_by(ctx),
    )
    name = stage_name(TaskState.SCHEDULING) if action == Action.CREATE else _event_of(action)
    ActionEvent.objects.create(action=row, name=name, host=server.host, started_at=now)
    faults.reach(Point.WRITTEN, server.pk)
    return row


def done(ctx: RequestContext, server: Server, name: OtherAction) -> None:
    """Write down something that was asked and done in one go."""
    now = timezone.now()
    row, made = ServerAction.objects.get_or_create(
        server=server,
        action=name,
        request_id=ctx.request_id,
        defaults={"started_at": now, "updated_at": now, "finished_at": now, **_asked_by(ctx)},
    )
    if made:
        _step_done(row, server, now)


def finish(server: Server, request_id: str, action: str, fault: str | None) -> None:
    """Close an action and its steps with the outcome; closing it again changes nothing."""
    now = timezone.now()
    open_actions = ServerAction.objects.filter(server=server, request_id=request_id, action=action, finished_at=None)
    row = open_actions.first()
    if row is None:
        return
    result = FAILED if fault else SUCCEEDED
    if action == Action.CREATE:
        ActionEvent.objects.get_or_create(
            action=row, name=_event_of(action), defaults={"host": server.host, "started_at": row.started_at}
        )
    unfinished = ActionEvent.objects.filter(action=row, finished_at=None)
    unfinished.update(finished_at=now, result=result, **({"detail": fault} if fault else {}))
    open_actions.update(finished_at=now, updated_at=now, message=FAILED if fault else None)


def abandon(
    server: Server,
    except_request: str,
    why: str = "Another operation took the instance first.",
    before: datetime | None = None,
) -> None:
    """Close whatever else was running, or of that what began before a time: something that goes before it took the server."""
    running = ServerAction.objects.filter(server=server, finished_at=None).exclude(request_id=except_request)
    for row in running if before is None else running.filter(started_at__lt=before):
        finish(server, row.request_id, row.action, why)


def note(server: Server, action: Action | OtherAction, at: datetime) -> None:
    """Write down something that the guest did by itself, or that happened to it: an action of nobody."""
    row = ServerAction.objects.create(
        server=server,
        action=action,
        request_id=new_request_id(),
        project_id=server.project_id,
        started_at=at,
        updated_at=at,
        finished_at=at,
    )
    _step_done(row, server, at)


def _asked_by(ctx: RequestContext) -> dict[str, Any]:
    return {"user_id": ctx.user_id, "user_name": ctx.user_name, "project_id": ctx.project_id}


def _step_done(row: ServerAction, server: Server, at: datetime) -> None:
    """Write down the one step of an action that took no time."""
    ActionEvent.objects.create(
        action=row, name=_event_of(row.action), host=server.host, started_at=at, finished_at=at, result=SUCCEEDED
    )


def _event_of(action: str) -> str:
    """Return the name of an action's step; what happens beside the states, such as to a card, has one as well."""
    return rule_of(Action(action)).event if action in set(Action) else f"compute_{action}"


def stage_name(stage: TaskState) -> str:
    """Return the name of the event that stands for a stage of a build."""
    return f"compute_{stage}"


def record_phase(report: BuildPhase) -> None:
    """Write one stage of a build into its action.

    Reports may come twice and in any order, so a stage begins with its earliest report and ends where the next one begins.
    """
    row = ServerAction.objects.filter(
        server_id=report.server_id, request_id=report.request_id, action=Action.CREATE, finished_at=None
    ).first()
    if row is None:
        return
    at = datetime.fromtimestamp(report.at, tz=UTC)
    events = {event.name: event for event in row.events.filter(name__in=_STAGE_NAMES)}
    event = events.get(stage_name(report.stage))
    if event is None:
        event = ActionEvent(action=row, name=stage_name(report.stage), host=report.host, started_at=at)
        events[event.name] = event
    event.started_at = min(event.started_at, at)
    if (report.bytes_done or 0) >= (event.bytes_done or 0):
        event.detail, event.bytes_done, event.bytes_total = report.detail, report.bytes_done, report.bytes_total
    event.save()
    _close_passed(events)


def _close_passed(events: dict[str, ActionEvent]) -> None:
    reached = [events[name] for name in _STAGE_NAMES if name in events]
    for event, following in pairwise(reached):
        end = max(event.started_at, following.started_at)
        if event.finished_at != end:
            event.finished_at, event.result = end, SUCCEEDED
            event.save(update_fields=["finished_at", "result"])
