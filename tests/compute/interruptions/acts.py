"""How each action is asked for, what must be done before it can be, and what leads back there."""

from collections.abc import Callable
from functools import partial
from typing import Any

from compute.services import (
    deferred,
    lifecycle,
    power,
    rebuilding,
    rescuing,
    resizing,
    rest,
    shelving,
    signals,
    snapshots,
)
from compute.states import Action

Ask = Callable[..., Any]

BIGGER = "bigger"
_COPY = {"name": "a copy"}
_RESIZE = partial(resizing.resize, flavor_id=BIGGER)

ASKS: dict[Action, Ask] = {
    Action.START: power.start,
    Action.STOP: power.stop,
    Action.REBOOT: power.reboot,
    Action.REBOOT_HARD: partial(power.reboot, hard=True),
    Action.PAUSE: rest.pause,
    Action.UNPAUSE: rest.unpause,
    Action.SUSPEND: rest.suspend,
    Action.RESUME: rest.resume,
    Action.RESCUE: rescuing.rescue,
    Action.UNRESCUE: rescuing.unrescue,
    Action.REBUILD: lambda ctx, server: rebuilding.rebuild(ctx=ctx, server=server, image_id=server.image_id),
    Action.CREATE_IMAGE: partial(snapshots.create_image, **_COPY),
    Action.CREATE_BACKUP: partial(snapshots.create_backup, **_COPY, backup_type="daily", rotation=1),
    Action.RESIZE: _RESIZE,
    Action.CONFIRM_RESIZE: resizing.confirm,
    Action.REVERT_RESIZE: resizing.revert,
    Action.SHELVE: shelving.shelve,
    Action.SHELVE_OFFLOAD: shelving.offload,
    Action.UNSHELVE: shelving.unshelve,
    Action.SOFT_DELETE: lifecycle.delete,
    Action.RESTORE: deferred.restore,
    Action.DELETE: deferred.force_delete,
    Action.TRIGGER_CRASH_DUMP: signals.crash_dump,
}
BEFORE: dict[Action, tuple[Action, ...]] = {
    Action.START: (Action.STOP,),
    Action.UNPAUSE: (Action.PAUSE,),
    Action.RESUME: (Action.SUSPEND,),
    Action.UNRESCUE: (Action.RESCUE,),
    Action.CONFIRM_RESIZE: (Action.RESIZE,),
    Action.REVERT_RESIZE: (Action.RESIZE,),
    Action.SHELVE_OFFLOAD: (Action.SHELVE,),
    Action.UNSHELVE: (Action.SHELVE, Action.SHELVE_OFFLOAD),
    Action.RESTORE: (Action.SOFT_DELETE,),
}
BACK: dict[Action, tuple[Action, ...]] = {
    Action.START: (Action.STOP,),
    Action.STOP: (Action.START,),
    Action.REBOOT: (),
    Action.REBOOT_HARD: (),
    Action.PAUSE: (Action.UNPAUSE,),
    Action.UNPAUSE: (Action.PAUSE,),
    Action.SUSPEND: (Action.RESUME,),
    Action.RESUME: (Action.SUSPEND,),
    Action.RESCUE: (Action.UNRESCUE,),
    Action.UNRESCUE: (Action.RESCUE,),
    Action.REBUILD: (),
    Action.CREATE_IMAGE: (),
    Action.CREATE_BACKUP: (),
    Action.RESIZE: (Action.REVERT_RESIZE,),
    Action.REVERT_RESIZE: (Action.RESIZE,),
    Action.SHELVE: (Action.UNSHELVE,),
    Action.SHELVE_OFFLOAD: (Action.UNSHELVE, Action.SHELVE),
    Action.UNSHELVE: (Action.SHELVE, Action.SHELVE_OFFLOAD),
    Action.SOFT_DELETE: (Action.RESTORE,),
    Action.RESTORE: (Action.SOFT_DELETE,),
    Action.TRIGGER_CRASH_DUMP: (),
}
"""From no other end does a way lead back: these need a new server each time."""
