"""Rescuing a server: it starts from another disk, its own lies beside it and is left as it is."""

from django.db import transaction
from django.utils.translation import gettext as _

from compute import policies
from compute.models import Server
from compute.services import commands, launch, operations
from compute.services.birth import sealed_password
from compute.states import Action
from compute.virt.driver import RESCUE_BUSES, RESCUE_DEVICES
from images.models import Image
from portal.core.context import RequestContext
from portal.core.errors import BadRequest
from portal.core.policy import authorize


@transaction.atomic
def rescue(*, ctx: RequestContext, server: Server, image_id: str | None = None, admin_pass: str = "") -> None:
    """Restart a server from a fresh disk of an image, its own image unless another is named.

    Until it is unrescued the guest finds ``admin_pass`` on its config drive.
    """
    authorize(ctx, policies.RESCUE, server)
    operations.refuse_locked(ctx, server)
    operations.take(ctx, server, Action.RESCUE, image_id=image_id or server.image_id, **sealed_password(admin_pass))
    _require_place(launch.usable_image(ctx, image_id or server.image_id or ""))
    commands.send(server)


def unrescue(*, ctx: RequestContext, server: Server) -> None:
    """Restart a rescued server from its own disk."""
    operations.begin(ctx, server, Action.UNRESCUE, policies.UNRESCUE)


def _require_place(image: Image) -> None:
    """Refuse an image that asks for a device or bus on which no rescue disk can be."""
    device, bus = image.custom.get("hw_rescue_device"), image.custom.get("hw_rescue_bus")
    if device is not None and device not in RESCUE_DEVICES:
        raise BadRequest(_("Requested rescue device '%(device)s' is not supported") % {"device": device})
    if bus is not None and bus not in RESCUE_BUSES:
        raise BadRequest(_("Requested rescue bus '%(bus)s' is not supported by this cloud.") % {"bus": bus})
    if device == "cdrom" and bus == "virtio":
        raise BadRequest(_("Requested rescue bus 'virtio' is not supported for a CD-ROM."))
