"""A server's own password, sealed by its guest for the owner's key: kept as it came, readable by nobody here."""

from django.utils import timezone

from compute import policies
from compute.models import Server
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Conflict
from portal.core.policy import authorize

LONGEST = 4096


def keep(*, server: Server, sealed: str) -> None:
    """Keep what the guest said, once: a guest that was taken over later cannot put another in its place. Raises Conflict."""
    if not sealed or len(sealed) > LONGEST or not sealed.isascii():
        raise BadRequest("The sealed password is too long or no text.")
    if not Server.objects.present().filter(pk=server.pk, sealed_password="").update(sealed_password=sealed):
        raise Conflict("The server has a password already.")


def clear(*, ctx: RequestContext, server: Server) -> None:
    """Forget it, so that the guest may say another."""
    authorize(ctx, policies.PASSWORD_CLEAR, server)
    Server.objects.filter(pk=server.pk).update(sealed_password="", updated_at=timezone.now())
