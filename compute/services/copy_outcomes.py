"""What else changes when a disk was copied or exchanged."""

import logging
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from compute.messages import OperationFinished
from compute.models import Server
from compute.network.services import ports
from compute.services import claims, interfaces, setbacks
from compute.states import Action, PowerState, VmState
from images.models import Image

LOG = logging.getLogger(__name__)


def _backed_up(server: Server, report: OperationFinished) -> dict[str, Any]:
    """Leave as many backups of this kind as were asked for, the newest."""
    details = server.operation_details
    backups = _with(Image.objects.present(), "instance_uuid", server.pk)
    backups = _with(backups, "backup_type", str(details["backup_type"]))
    owner = Image.objects.filter(pk=details["image_id"]).values_list("owner", flat=True).first()
    ids = list(backups.filter(owner=owner).order_by("-created_at", "-pk").values_list("pk", flat=True))
    for image_id in ids[int(details["rotation"]) :]:
        LOG.info("Image %s is one backup more than the %s that are kept.", image_id, details["rotation"])
        setbacks.delete_image(image_id, server.request_id)
    return {}


def _with(images: Any, name: str, value: str) -> Any:
    return images.filter(properties__name=name, properties__value=value)


def _rebuilt(server: Server, report: OperationFinished) -> dict[str, Any]:
    ports.bind(server.pk, report.host, up=True)
    off = report.power_state == PowerState.SHUTDOWN
    return {"vm_state": VmState.STOPPED if off else VmState.ACTIVE, "launched_at": timezone.now()}


def _shelved(server: Server, report: OperationFinished) -> dict[str, Any]:
    return {"shelved_image_id": server.operation_details["image_id"], "shelved_at": timezone.now()}


def _offloaded(server: Server, report: OperationFinished) -> dict[str, Any]:
    """The host and the claim go, ports and addresses stay the server's."""
    claims.give_back(server, server.host)
    interfaces.guest_gone(server)
    ports.bind(server.pk, None, up=False)
    return {"host": None, "availability_zone": None, "power_state": PowerState.NOSTATE}


def _unshelved(server: Server, report: OperationFinished) -> dict[str, Any]:
    setbacks.forget_shelved(server)
    ports.bind(server.pk, report.host, up=True)
    return {"shelved_image_id": None, "shelved_at": None, "launched_at": timezone.now()}


OUTCOMES: dict[Action, Callable[[Server, OperationFinished], dict[str, Any]]] = {
    Action.CREATE_BACKUP: _backed_up,
    Action.REBUILD: _rebuilt,
    Action.SHELVE: _shelved,
    Action.SHELVE_OFFLOAD: _offloaded,
    Action.UNSHELVE: _unshelved,
}
