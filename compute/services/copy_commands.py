"""The commands that copy or exchange a server's disks, made from its row."""

from collections.abc import Callable

from django.utils.translation import gettext as _

from compute.copy_messages import CopyDisk, Offload, Rebuild, Rescue, Unrescue, Unshelve
from compute.models import Server
from compute.services import build
from compute.states import Action, VmState
from compute.virt.driver import Quiesce, RescueSpec
from images.models import Image
from images.selectors import present_image
from images.services import pieces, transfer
from portal.core.errors import NotFound

SHUTDOWN_GRACE_S = 30
_YES = frozenset({"yes", "true", "1", "on"})


def _copy(server: Server) -> CopyDisk:
    image = _image(server.operation_details.get("image_id"))
    shelves = server.operation == Action.SHELVE
    # a guest that is paused or suspended cannot hear that it shall shut down
    grace_s = SHUTDOWN_GRACE_S if server.vm_state == VmState.ACTIVE else 0
    return CopyDisk(
        action=Action(server.operation or Action.CREATE_IMAGE),
        server_id=server.pk,
        request_id=server.request_id,
        image_id=image.pk,
        address=transfer.delivery_url(image),
        in_pieces=pieces.may_resume(),
        quiesce=_quiesce(server),
        stop_s=grace_s if shelves else None,
    )


def _quiesce(server: Server) -> Quiesce:
    if _says_yes(server, "os_require_quiesce"):
        return Quiesce.REQUIRED
    return Quiesce.IF_POSSIBLE if _says_yes(server, "hw_qemu_guest_agent") else Quiesce.NO


def _says_yes(server: Server, name: str) -> bool:
    return str(server.image_properties.get(name, "")).lower() in _YES


def _rebuild(server: Server) -> Rebuild:
    guest = build.spawn_command(server, _image(server.image_id)).guest
    details = server.operation_details
    return Rebuild(
        server.pk,
        server.request_id,
        guest,
        start=details.get("start", True),
        preserve_ephemeral=details.get("preserve_ephemeral", False),
    )


def _rescue(server: Server) -> Rescue:
    image = _image(server.operation_details.get("image_id"))
    properties = image.custom
    device = properties.get("hw_rescue_device", "disk")
    spec = RescueSpec(
        image=build.reference(image),
        kernel=build.part(server, properties, "kernel_id"),
        ramdisk=build.part(server, properties, "ramdisk_id"),
        kernel_args=properties.get("os_command_line", ""),
        stable="hw_rescue_device" in properties or "hw_rescue_bus" in properties,
        device=device,
        bus=properties.get("hw_rescue_bus") or ("ide" if device == "cdrom" else "virtio"),
        admin_pass=server.operation_details.get("admin_pass", ""),
    )
    return Rescue(server.pk, server.request_id, spec)


def _unshelve(server: Server) -> Unshelve:
    if server.vm_state == VmState.SHELVED:
        return Unshelve(server.pk, server.request_id)
    guest = build.spawn_command(server, _image(server.shelved_image_id or server.image_id)).guest
    return Unshelve(server.pk, server.request_id, guest)


def _image(image_id: str | None) -> Image:
    image = present_image(image_id or "")
    if image is None:
        raise NotFound("Image", image_id or "", _("Image %(id)s was deleted.") % {"id": image_id})
    return image


COMMANDS: dict[Action, Callable[[Server], CopyDisk | Rebuild | Rescue | Unrescue | Offload | Unshelve]] = {
    Action.CREATE_IMAGE: _copy,
    Action.CREATE_BACKUP: _copy,
    Action.SHELVE: _copy,
    Action.REBUILD: _rebuild,
    Action.RESCUE: _rescue,
    Action.UNRESCUE: lambda server: Unrescue(server.pk, server.request_id),
    Action.SHELVE_OFFLOAD: lambda server: Offload(server.pk, server.request_id),
    Action.UNSHELVE: _unshelve,
}
