"""What is given back when an operation fails or another takes the server first, beside the states that the table gives."""

import logging
from collections.abc import Callable

from compute import rpc
from compute.copy_messages import Offload
from compute.models import Server
from compute.network.services import ports
from compute.services import claims
from compute.states import Action, VmState
from images.selectors import present_image
from images.services import registry
from images.states import ImageStatus
from portal.core.context import RequestContext
from portal.core.errors import CloudError

LOG = logging.getLogger(__name__)


def apply(server: Server, action: Action) -> None:
    """Undo what an action that failed has begun, in the transaction that ends it."""
    undo = _SETBACKS.get(action)
    if undo is not None:
        undo(server)


def forget_copy(server: Server) -> None:
    """Delete the image for which a server's disk was being copied, unless it is whole; a shelved disk nobody asked for goes anyway."""
    image = present_image(str(server.operation_details.get("image_id", "")))
    if image is None or server.operation not in _COPIES:
        return
    if image.status in (ImageStatus.QUEUED, ImageStatus.SAVING) or server.operation == Action.SHELVE:
        delete_image(image.pk, server.request_id)


def forget_shelved(server: Server) -> None:
    """Delete the image in which a shelved server was kept."""
    if server.shelved_image_id is not None:
        delete_image(server.shelved_image_id, server.request_id)


def delete_image(image_id: str, request_id: str) -> None:
    """Delete an image in the cloud's own name; one that is gone or protected is left as it is."""
    image = present_image(image_id)
    if image is None:
        return
    try:
        registry.delete(ctx=RequestContext.for_conductor(request_id), image=image)
    except CloudError as error:
        LOG.warning("Image %s stays: %s", image_id, error.message)


def _rebuilt_in_part(server: Server) -> None:
    """Nobody can tell which of the disks are new, so the server must not seem to be well."""
    Server.objects.filter(pk=server.pk).update(vm_state=VmState.ERROR)


def _not_brought_back(server: Server) -> None:
    """Leave a server that had no host without one, and nothing of it where it was to come."""
    if server.vm_state != VmState.SHELVED_OFFLOADED:
        return
    row = Server.objects.filter(pk=server.pk)
    held = row.values_list("host", flat=True).first()
    row.update(vm_state=VmState.SHELVED_OFFLOADED, host=None, availability_zone=None)
    claims.give_back(server, held)
    ports.bind(server.pk, None, up=False)
    if held is not None:
        rpc.send(held, Offload(server.pk, server.request_id, order=server.operation_order))


_COPIES = frozenset({Action.CREATE_IMAGE, Action.CREATE_BACKUP, Action.SHELVE})
_SETBACKS: dict[Action, Callable[[Server], None]] = {
    **dict.fromkeys(_COPIES, forget_copy),
    Action.REBUILD: _rebuilt_in_part,
    Action.UNSHELVE: _not_brought_back,
}
