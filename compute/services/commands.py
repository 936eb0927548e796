"""The command that carries out what a server's row says is being done to it.

Everything it needs stands in the row, so a command that was lost is made and sent again by the same function.
"""

from collections.abc import Callable
from dataclasses import replace

from compute import rpc
from compute.messages import Change, Destroy, EndResize, GuestCommand, PowerOff, PowerOn, Reboot, Resize
from compute.models import Server
from compute.services import build, copy_commands, migrations
from compute.states import Action
from compute.virt.driver import GuestSize
from images.selectors import present_image

SHUTDOWN_GRACE_S = 30


def _spawn(server: Server) -> GuestCommand | None:
    image = present_image(server.image_id or "")
    return None if image is None else build.spawn_command(server, image)


def _change(action: Action) -> Callable[[Server], GuestCommand]:
    return lambda server: Change(server.pk, server.request_id, action)


def _resize(server: Server) -> GuestCommand:
    flavor = server.operation_details["flavor"]
    size = GuestSize(
        vcpus=flavor["vcpus"],
        memory_mb=flavor["ram_mb"],
        root_gb=flavor["root_gb"],
        ephemeral_gb=flavor["ephemeral_gb"],
        swap_mb=flavor["swap_mb"],
        flavor_name=flavor["flavor_name"],
        extra_specs=flavor["extra_specs"],
        image_properties=server.image_properties,
    )
    return Resize(server.pk, server.request_id, size, SHUTDOWN_GRACE_S, migrations.token(server))


def _end_resize(action: Action) -> Callable[[Server], GuestCommand]:
    return lambda server: EndResize(server.pk, server.request_id, action, migrations.token(server))


_CHANGES = (
    Action.PAUSE,
    Action.UNPAUSE,
    Action.SUSPEND,
    Action.RESUME,
    Action.SOFT_DELETE,
    Action.RESTORE,
)
_COMMANDS: dict[Action, Callable[[Server], GuestCommand | None]] = {
    Action.CREATE: _spawn,
    Action.START: lambda server: PowerOn(server.pk, server.request_id),
    Action.STOP: lambda server: PowerOff(server.pk, server.request_id, SHUTDOWN_GRACE_S),
    Action.REBOOT: lambda server: Reboot(server.pk, server.request_id, hard=False),
    Action.REBOOT_HARD: lambda server: Reboot(server.pk, server.request_id, hard=True),
    Action.DELETE: lambda server: Destroy(server.pk, server.request_id),
    **copy_commands.COMMANDS,
    Action.RESIZE: _resize,
    **{action: _end_resize(action) for action in (Action.CONFIRM_RESIZE, Action.REVERT_RESIZE)},
    Action.CHANGE_PASSWORD: lambda _server: None,  # only the request that waits for it has the password
    **{action: _change(action) for action in _CHANGES},
}


def send(server: Server) -> None:
    """Have the server's host carry out what its row says; raises CloudError when the command cannot be made any more."""
    command = _COMMANDS[Action(server.operation or Action.CREATE)](server)
    if server.host is not None and command is not None:
        rpc.send(server.host, replace(command, order=server.operation_order))
