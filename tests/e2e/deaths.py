"""At which places of a real host which guest loses its compute process, and which places in the code those are.

The process dies of one wave at once: a lane of its has a thread for each guest of the wave that needs one (compute/worker/lanes.py).
"""

import ast
from collections.abc import Iterator

from compute.interruptions import ACTIONS, points
from compute.states import Action
from portal.core.faults import Point, Process
from tests.e2e.cloud import ROOT

Case = tuple[Action, Point]

BORN: tuple[Point, ...] = (Point.DISKS_MADE, Point.DEFINED, Point.STARTED)
WAVES: tuple[dict[str, Case], ...] = (
    {
        "power": (Action.START, Point.STARTED),
        "reboot": (Action.REBOOT, Point.STOPPED),
        "rebuild": (Action.REBUILD, Point.STOPPED),
        "rescue": (Action.RESCUE, Point.DISKS_MADE),
        "rescue-2": (Action.RESCUE, Point.DEFINED),
        "resize": (Action.RESIZE, Point.STOPPED),
        "resize-2": (Action.RESIZE, Point.DEFINED),
        "shelf": (Action.SHELVE, Point.STOPPED),
        "shelf-2": (Action.SHELVE, Point.UPLOADED),
        "restore": (Action.RESTORE, Point.STARTED),
    },
    {
        "power": (Action.CREATE_IMAGE, Point.COPIED),
        "reboot": (Action.REBOOT, Point.STARTED),
        "rebuild": (Action.REBUILD, Point.DISKS_MADE),
        "rescue": (Action.UNRESCUE, Point.STOPPED),
        "rescue-2": (Action.UNRESCUE, Point.STARTED),
        "resize": (Action.REVERT_RESIZE, Point.STOPPED),
        "resize-2": (Action.REVERT_RESIZE, Point.STARTED),
        "shelf": (Action.UNSHELVE, Point.DISKS_MADE),
        "shelf-2": (Action.UNSHELVE, Point.DEFINED),
        "restore": (Action.CREATE_BACKUP, Point.COPIED),
    },
    {
        "power": (Action.RESUME, Point.STARTED),
        "reboot": (Action.REBOOT_HARD, Point.STOPPED),
        "rebuild": (Action.REBUILD, Point.DEFINED),
        "rescue": (Action.RESCUE, Point.STOPPED),
        "rescue-2": (Action.RESCUE, Point.STARTED),
        "resize": (Action.RESIZE, Point.KEPT),
        "resize-2": (Action.RESIZE, Point.STARTED),
        "shelf": (Action.SHELVE, Point.COPIED),
        "shelf-2": (Action.UNSHELVE, Point.STARTED),
        "restore": (Action.CREATE_BACKUP, Point.UPLOADED),
    },
    {
        "power": (Action.CREATE_IMAGE, Point.UPLOADED),
        "reboot": (Action.REBOOT_HARD, Point.STARTED),
        "rebuild": (Action.REBUILD, Point.STARTED),
        "rescue": (Action.UNRESCUE, Point.DEFINED),
        "resize": (Action.REVERT_RESIZE, Point.DEFINED),
    },
)
# The clock has a shelved guest removed by itself: the process that is started again is armed at once.
LAST: dict[str, Case] = {
    "reboot": (Action.DELETE, Point.STOPPED),
    "resize-2": (Action.DELETE, Point.STOPPED),
    "shelf": (Action.SHELVE, Point.TOLD),
}
AFTER_SHELVING: Case = (Action.SHELVE_OFFLOAD, Point.STOPPED)

_CODE = [*(ROOT / "compute" / "virt" / "libvirt").glob("*.py"), ROOT / "compute" / "worker" / "copies.py"]
_BUILT = (Action.CREATE, Action.UNSHELVE)
_COPIED = (Action.CREATE_IMAGE, Action.CREATE_BACKUP, Action.SHELVE)
_STARTED = (
    *(Action.START, Action.RESTORE, Action.RESUME, Action.REBOOT, Action.REBOOT_HARD),
    *(Action.REBUILD, Action.RESCUE, Action.UNRESCUE),
)
# Which actions come by which place in the code, by file, function and point.
PLACES: dict[tuple[str, str, Point], tuple[Action, ...]] = {
    ("driver", "_build", Point.DISKS_MADE): _BUILT,
    ("driver", "_build", Point.DEFINED): _BUILT,
    ("driver", "_build", Point.STARTED): _BUILT,
    ("driver", "_start", Point.STARTED): _STARTED,
    ("driver", "_restart", Point.DEFINED): (Action.RESCUE, Action.UNRESCUE),
    ("driver", "destroy", Point.STOPPED): (Action.DELETE, Action.SHELVE_OFFLOAD),
    ("driver", "reboot", Point.STOPPED): (Action.REBOOT, Action.REBOOT_HARD),
    ("driver", "rebuild", Point.STOPPED): (Action.REBUILD,),
    ("driver", "rebuild", Point.DISKS_MADE): (Action.REBUILD,),
    ("driver", "rebuild", Point.DEFINED): (Action.REBUILD,),
    ("driver", "rescue", Point.DISKS_MADE): (Action.RESCUE,),
    ("driver", "rescue", Point.STOPPED): (Action.RESCUE,),
    ("driver", "unrescue", Point.STOPPED): (Action.UNRESCUE,),
    ("resizing", "_give", Point.STOPPED): (Action.RESIZE,),
    ("resizing", "_give", Point.KEPT): (Action.RESIZE,),
    ("resizing", "_give", Point.DEFINED): (Action.RESIZE,),
    ("resizing", "_start", Point.STARTED): (Action.RESIZE, Action.REVERT_RESIZE),
    ("resizing", "_put_back", Point.STOPPED): (Action.REVERT_RESIZE,),
    ("resizing", "revert", Point.DEFINED): (Action.REVERT_RESIZE,),
    ("copies", "_copy_and_send", Point.STOPPED): (Action.SHELVE,),
    ("copies", "_copy_and_send", Point.COPIED): _COPIED,
    ("copies", "_copy_and_send", Point.UPLOADED): _COPIED,
}


def cases() -> set[Case]:
    """Return what is done here at places that only a host's own work comes by."""
    born = {(Action.CREATE, point) for point in BORN}
    return (
        born
        | {case for wave in (*WAVES, LAST) for case in wave.values() if case[1] not in _OF_EVERY_COMMAND}
        | {AFTER_SHELVING}
    )


def promised() -> set[Case]:
    """Return the same places as the table of interruptions knows them."""
    return {
        (action, point)
        for action in ACTIONS
        for process, point in points(action)
        if process == Process.COMPUTE and point not in _OF_EVERY_COMMAND
    }


def places() -> Iterator[tuple[str, str, Point]]:
    """Yield every place in the code of a real host where a process can be killed."""
    for path in _CODE:
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef):
                yield from ((path.stem, function.name, point) for point in _reached(function))


def _reached(function: ast.FunctionDef) -> Iterator[Point]:
    for call in ast.walk(function):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "faults.reach":
            yield Point[ast.unparse(call.args[0]).removeprefix("Point.")]


_OF_EVERY_COMMAND = (Point.RECEIVED, Point.WORKED, Point.NOTED, Point.TOLD)
