"""A server's own password, sealed by its guest for the owner's key: kept as it came, readable by nobody here."""

import logging

from django.utils import timezone

from compute import policies
from compute.models import Server
from compute.virt.instance_data import LONGEST_PASSWORD
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Conflict
from portal.core.policy import authorize

LOG = logging.getLogger(__name__)


def keep(*, server: Server, sealed: str) -> None:
    """Keep what the guest said, once: a guest that was taken over later cannot put another in its place. Raises Conflict."""
    if not 0 < len(sealed) <= LONGEST_PASSWORD or not sealed.isprintable() or not sealed.isascii():
        raise BadRequest(f"A sealed password has 1 to {LONGEST_PASSWORD} printable characters.")
    if not Server.objects.present().filter(pk=server.pk, sealed_password="").update(sealed_password=sealed):
        raise Conflict("The password was set already.")
    LOG.info("Instance %s left its sealed password.", server.pk)


def clear(*, ctx: RequestContext, server: Server) -> None:
    """Forget it, so that the guest may say another."""
    authorize(ctx, policies.PASSWORD_CLEAR, server)
    Server.objects.filter(pk=server.pk).update(sealed_password="", updated_at=timezone.now())
