"""Signed addresses of image bytes: a host fetches from one, a browser puts to one, neither has a token.

A ticket is good for one image, one direction and a while. What an upload ticket carries is who asked for it, so the upload is
authorised again, by the same rules, when it begins.
"""

from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.standing import Standing
from images import policies
from images.models import Image
from portal.core import bus, signing
from portal.core.context import RequestContext
from portal.core.errors import Unauthorized
from portal.core.policy import authorize

READ = "image-read"
WRITE = "image-write"
DELIVER = "image-deliver"
READ_LIFETIME_S = 6 * 3600
WRITE_LIFETIME_S = 900
DELIVER_LIFETIME_S = 6 * 3600
_ENDED = gettext_noop("The ticket is not valid or has ended.")


def source_url(image: Image) -> str:
    """Return an address from which a host fetches the image's bytes."""
    return _url(image, signing.seal(bus.queue_key(), READ, {"image": image.pk}))


def upload_ticket(ctx: RequestContext, image: Image) -> str:
    """Return an address to which the caller's browser puts the image's bytes."""
    authorize(ctx, policies.UPLOAD_IMAGE, image)
    caller = asdict(Standing.of(ctx))
    return _url(image, signing.seal(bus.queue_key(), WRITE, {"image": image.pk, "caller": caller}))


def delivery_url(image: Image) -> str:
    """Return an address to which a host puts the image's bytes, in the cloud's own name.

    Whether the image may be made was asked of a user when it was registered; a copy that takes hours outlives his session.
    """
    return _url(image, signing.seal(bus.queue_key(), DELIVER, {"image": image.pk}))


def check_read(ticket: str, image_id: str) -> None:
    """Let a reader's ticket for this image pass; raises Unauthorized."""
    _unseal(ticket, READ, READ_LIFETIME_S, image_id)


def check_write(ticket: str, image_id: str, request_id: str) -> RequestContext:
    """Return whose upload a ticket for this image stands for, with the roles of now; raises Unauthorized."""
    if _is_delivery(ticket, image_id):
        return RequestContext.for_conductor(request_id)
    caller: dict[str, Any] = _unseal(ticket, WRITE, WRITE_LIFETIME_S, image_id)["caller"]
    ctx = Standing(**caller).context(request_id=request_id)
    if ctx is None:
        raise Unauthorized(_(_ENDED))
    return ctx


def _is_delivery(ticket: str, image_id: str) -> bool:
    try:
        _unseal(ticket, DELIVER, DELIVER_LIFETIME_S, image_id)
    except Unauthorized:
        return False
    return True


def _url(image: Image, ticket: str) -> str:
    return f"{settings.PUBLIC_URL}/image/v2/images/{image.pk}/file?{urlencode({'ticket': ticket})}"


def _unseal(ticket: str, purpose: str, lifetime_s: int, image_id: str) -> dict[str, Any]:
    try:
        data = signing.unseal(bus.queue_key(), purpose, ticket, lifetime_s)
    except (signing.BadTicket, UnicodeEncodeError) as error:
        raise Unauthorized(_(_ENDED)) from error
    if data.get("image") != image_id:
        raise Unauthorized(_(_ENDED))
    return data
