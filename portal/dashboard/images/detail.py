"""What stands on an image's page."""

from dataclasses import dataclass
from typing import Any

from compute.models import HostImage
from compute.selectors import host_images
from images import policies
from images.models import Image, ImageTask
from images.selectors import get_image
from images.services import locations, protections
from images.services.imports import steering
from images.states import ImageStatus
from portal.core.context import RequestContext
from portal.core.policy import allowed
from portal.dashboard.access.kinds import KINDS
from portal.dashboard.access.views import access_facts
from portal.dashboard.images import definitions
from portal.dashboard.images.actions import actions_of
from portal.dashboard.images.progress import progress_of, task_status, title_of
from portal.dashboard.images.words import VISIBILITY, cache_status_of, status_of
from portal.dashboard.kit.actions import offers
from portal.dashboard.kit.words import Status


@dataclass(frozen=True)
class Copy:
    """A store that has the image's data; its address is for operators."""

    store: str
    address: str


@dataclass(frozen=True)
class Deed:
    """A task as the page shows it."""

    task: ImageTask
    title: str
    status: Status


def find(ctx: RequestContext, pk: Any) -> Image:
    """Return an image that the caller may see, with its latest task marked; any other is simply not found."""
    image = get_image(ctx, str(pk))
    steering.mark_latest([image])
    return image


def live_facts(ctx: RequestContext, image: Image) -> dict[str, Any]:
    """Return what changes while one looks. ``view`` names the whole: with another one the page is loaded anew."""
    return {
        "image": image,
        "view": _view(image),
        "status": status_of(image),
        "progress": progress_of(image),
        "offers": offers(ctx, image, actions_of(image)),
        "copies": [Copy(row.store, locations.url_of(row) if ctx.is_operator else "") for row in locations.in_order(image)],
        "deeds": _deeds(ctx, image),
    }


def detail(ctx: RequestContext, image: Image) -> dict[str, Any]:
    """Return everything on the page."""
    custom = protections.reader(ctx)(image.custom)
    known = definitions.known(ctx, custom)
    waits = image.status == ImageStatus.QUEUED or image.upload_offset is not None
    return {
        **live_facts(ctx, image),
        "visible_to": VISIBILITY.get(image.visibility, image.visibility),
        "properties": [(name, value, known.get(name)) for name, value in sorted(custom.items())],
        "may_upload": waits and allowed(ctx, policies.UPLOAD_IMAGE, image),
        "arrived": image.upload_offset,
        "access": access_facts(ctx, KINDS["image"], image),
        "holders": _holders(ctx, image),
    }


def _holders(ctx: RequestContext, image: Image) -> list[tuple[HostImage, Status]] | None:
    """Return the hosts that have the image or were asked for it; None for those who are not told."""
    if not allowed(ctx, policies.CACHE_LIST):
        return None
    return [(row, cache_status_of(row)) for row in host_images(ctx).filter(image_id=image.pk)]


def _deeds(ctx: RequestContext, image: Image) -> list[Deed]:
    if not allowed(ctx, policies.GET_TASKS):
        return []
    return [Deed(task, title_of(task), task_status(task)) for task in steering.recent(ctx, image)]


def _view(image: Image) -> str:
    """Queued and saving look the same, so that nobody's page is loaded anew while it sends the data."""
    if image.has_data:
        return "data"
    return "import" if image.status in (ImageStatus.UPLOADING, ImageStatus.IMPORTING) else "empty"
