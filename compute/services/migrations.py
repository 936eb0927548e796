"""The rows of resizes, and the claims that they hold until nobody can go back any more."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from compute import rpc
from compute.messages import EndResize, OperationFinished
from compute.models import Flavor, Host, Migration, Server
from compute.services import claims, usage
from compute.states import Action, VmState, resting
from portal.core.context import RequestContext, new_request_id

FIGURES = ("flavor_id", "flavor_name", "vcpus", "ram_mb", "root_gb", "ephemeral_gb", "swap_mb", "extra_specs")


def figures_of(sized: Server | Flavor) -> dict[str, Any]:
    """Return a size as a server keeps it."""
    names = {"flavor_name": "name"} if isinstance(sized, Flavor) else {}
    return {name: getattr(sized, names.get(name, name)) for name in FIGURES}


def begin(ctx: RequestContext, server: Server, figures: dict[str, Any]) -> bool:
    """Write a resize down and claim the new size beside the old one; False when it does not fit. Runs in the caller's transaction."""
    sized = Server(**figures)
    host = server.host or ""
    if not claims.take(sized, host):
        return False
    Migration.objects.create(
        server=server,
        status="migrating",
        source_host=host,
        dest_host=host,
        old_flavor=figures_of(server),
        new_flavor=figures,
        held=claims.amounts(sized),
        user_id=ctx.user_id or "",
        project_id=server.project_id,
    )
    return True


def abandon(server: Server, *, only_running: bool = False) -> None:
    """End a resize that nobody will end any more: its server was reset or is resized again.

    One whose host may still be at it is undone, one that waited is kept; the host is told which, so that what it does late or has
    done already comes out as the rows say. ``only_running`` leaves one that waits as it is.
    """
    row = _open(server)
    if row is None or (only_running and row.status != "migrating"):
        return
    if row.status == "reverting":
        _go_back(server, row)
    else:
        _close(row, "error" if row.status == "migrating" else "confirmed")
    tell_host(server, Action.CONFIRM_RESIZE if row.status == "confirmed" else Action.REVERT_RESIZE)


def _go_back(server: Server, row: Migration) -> None:
    """Give a server the size back that it had, with its claim."""
    row.held = claims.amounts(server)
    _close(row, "reverted")
    Server.objects.filter(pk=server.pk).update(**row.old_flavor)
    usage.follow(server.pk)
    server.refresh_from_db()


def forget(server: Server) -> None:
    """Give back what a resize of a deleted server held."""
    row = _open(server)
    if row is not None:
        _close(row, "error" if row.status == "migrating" else "confirmed")


def tell_host(server: Server, action: Action) -> None:
    """Have the server's host confirm or revert its last resize, whatever it did of it by now; nobody waits for the answer."""
    if server.host is not None:
        since = server.operation_order
        rpc.send(server.host, EndResize(server.pk, new_request_id(), action, token(server), since))


def token(server: Server) -> str:
    """Return what names the last resize of a server, for its host."""
    found = Migration.objects.filter(server=server).order_by("-created_at", "-pk").values_list("uuid", flat=True).first()
    return found or ""


def size_before(server: Server) -> Server | None:
    """Return the size to which an open resize of the server can go back, on a server that is nowhere."""
    row = _open(server)
    return None if row is None else Server(**row.old_flavor)


def show(server: Server, status: str) -> None:
    """Let the open resize of a server show how far it is."""
    Migration.objects.filter(server=server, open=True).update(status=status, updated_at=timezone.now())


def set_back(server: Server, action: Action, vm_state: VmState | None) -> None:
    """Take over that an action failed: a resize holds nothing any more, a confirm or revert can be tried again.

    Of one that was not heard of it stays open which of the two sizes the guest has.
    """
    row = _open(server)
    if row is None:
        return
    if action == Action.RESIZE:
        _close(row, "error")
    elif action in (Action.CONFIRM_RESIZE, Action.REVERT_RESIZE) and vm_state == VmState.RESIZED:
        show(server, "finished")


def due_for_confirmation(before: Any) -> QuerySet[Server]:
    """Return the servers that wait since before that time for somebody to confirm their resize."""
    rows = Server.objects.present().filter(vm_state=VmState.RESIZED, task_state=None)
    return rows.filter(migrations__open=True, migrations__status="finished", migrations__updated_at__lt=before)


def _resized(server: Server, report: OperationFinished) -> dict[str, Any]:
    row = _open(server)
    if row is None:
        return {}
    row.status, row.held, row.updated_at = "finished", claims.amounts(server), timezone.now()
    row.save(update_fields=["status", "held", "updated_at"])
    return dict(row.new_flavor)


def _confirmed(server: Server, report: OperationFinished) -> dict[str, Any]:
    row = _open(server)
    if row is not None:
        _close(row, "confirmed")
    return _back_at_work(report)


def _reverted(server: Server, report: OperationFinished) -> dict[str, Any]:
    row = _open(server)
    if row is None:
        return _back_at_work(report)
    row.held = claims.amounts(server)  # the server takes over the claim of its old size
    _close(row, "reverted")
    return {**row.old_flavor, **_back_at_work(report)}


def _at_work_again(server: Server, report: OperationFinished) -> dict[str, Any]:
    """It may have been deleted while its resize waited to be confirmed, or be in ERROR since nothing was heard of a revert."""
    abandon(server)
    return {}


OUTCOMES: dict[Action, Callable[[Server, OperationFinished], dict[str, Any]]] = {
    Action.RESIZE: _resized,
    Action.CONFIRM_RESIZE: _confirmed,
    Action.REVERT_RESIZE: _reverted,
    **dict.fromkeys((Action.RESTORE, Action.STOP, Action.REBOOT_HARD, Action.UNRESCUE), _at_work_again),
}


def _back_at_work(report: OperationFinished) -> dict[str, Any]:
    """A server that was off before its resize, or went off since, is stopped."""
    return {"vm_state": resting(VmState.ACTIVE, report.power_state) or VmState.ACTIVE}


def _open(server: Server) -> Migration | None:
    return Migration.objects.select_for_update().filter(server=server, open=True).first()


def _close(row: Migration, status: str) -> None:
    Host.objects.release(host=row.source_host, **row.held)
    row.status, row.open, row.updated_at = status, False, timezone.now()
    row.save(update_fields=["status", "open", "held", "updated_at"])
