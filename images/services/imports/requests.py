"""Asking for an import: what is wanted is checked, the image taken, and the task written down, in one transaction.

Follows the Image API reference, "Import an image". A key of the request that means nothing here is kept in the task's input and has no
effect, as clients of this API expect.
"""

import logging
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from images import fetching, policies
from images.models import Image, ImageTask
from images.services import limits, locations, tasks
from images.services.data import writable_store
from images.services.documents import require_storable
from images.services.steps import injection
from images.states import ImageStatus, TaskType
from images.stores import registry as stores
from images.stores.base import IMAGE_ID
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Conflict
from portal.core.policy import authorize

LOG = logging.getLogger(__name__)

DIRECT, WEB, COPY, GLANCE = "glance-direct", "web-download", "copy-image", "glance-download"
_BEFORE = {
    DIRECT: (ImageStatus.UPLOADING, gettext_noop("Image needs to be staged before 'glance-direct' method can be used")),
    WEB: (ImageStatus.QUEUED, gettext_noop("Image needs to be in 'queued' state to use 'web-download' method")),
    GLANCE: (ImageStatus.QUEUED, gettext_noop("Image needs to be in 'queued' state to use 'glance-download' method")),
    COPY: (ImageStatus.ACTIVE, gettext_noop("Only images with status active can be targeted for copying")),
}


def ask(*, ctx: RequestContext, image: Image, wanted: Mapping[str, Any], store: str | None = None) -> ImageTask | None:
    """Begin an import; None when there is nothing to do. ``store`` is the older way to name the one store."""
    require_storable(wanted)
    method = _method(wanted)
    name: str = method["name"]
    authorize(ctx, policies.COPY_IMAGE if name == COPY else policies.MODIFY_IMAGE, image)
    if image.status == ImageStatus.ACTIVE and name != COPY:
        raise Conflict(_("Image with status active cannot be target for import"))
    _check_image(image, name)
    _CHECKS.get(name, lambda _method: None)(method)
    targets = _targets(image, wanted, name, store)
    if not targets:
        return None
    return begin(ctx=ctx, image=image, kind=TaskType.API_IMAGE_IMPORT, wanted=wanted, targets=targets)


def begin(*, ctx: RequestContext, image: Image, kind: TaskType, wanted: Mapping[str, Any], targets: list[str]) -> ImageTask:
    """Take an image for an import whose request is checked, and hand the task to the conductor."""
    name = wanted["method"]["name"]
    before, refusal = _BEFORE[name]
    with transaction.atomic():
        limits.admit_import(image.owner, None if before == ImageStatus.QUEUED else image.size, len(targets))
        task = tasks.create(
            ctx=ctx, kind=kind, image_id=image.pk, input={"image_id": image.pk, "import_req": wanted, "backend": targets}
        )
        after = ImageStatus.ACTIVE if name == COPY else ImageStatus.IMPORTING
        if not Image.objects.begin_import(image.pk, task.pk, before, after, targets):
            raise Conflict(_why_not(image, before, refusal))
        if name != COPY:
            injection.inject(image=image, roles=ctx.roles)
    LOG.info("Import of image %s by %s to %s begins: task %s", image.pk, name, ",".join(targets), task.pk)
    return task


def check_address(uri: Any) -> None:
    """Let an address pass that a fetch may be tried of; raises BadRequest. Whether its host may be asked shows when it is."""
    try:
        fetching.check(uri)
    except fetching.FetchRefused as error:
        raise BadRequest(_("URI for web-download does not pass filtering: %(why)s") % {"why": error}) from error


def _method(wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    method = wanted.get("method")
    if not isinstance(method, dict):
        raise BadRequest(_("Import request requires a 'method' field."))
    if not isinstance(method.get("name"), str):
        raise BadRequest(_("Import request requires a 'name' field."))
    if method["name"] not in settings.IMAGE_IMPORT_METHODS:
        raise BadRequest(_("Unknown import method name '%(name)s'.") % {"name": method["name"][:64]})
    for flag in ("all_stores", "all_stores_must_succeed"):
        if not isinstance(wanted.get(flag, True), bool):
            raise BadRequest(_("'%(name)s' must be boolean value only") % {"name": flag})
    return method


def _check_image(image: Image, name: str) -> None:
    before, refusal = _BEFORE[name]
    if image.status != before:
        raise Conflict(_(refusal))
    for field in ("container_format", "disk_format"):
        if not getattr(image, field):
            raise Conflict(_("'%(name)s' needs to be set before import") % {"name": field})


def _why_not(image: Image, before: ImageStatus, refusal: str) -> str:
    now = Image.objects.filter(pk=image.pk).values_list("status", "import_task_id").first()
    if now is not None and now[0] != before:
        return _(refusal)
    said = _("New operation on image '%(id)s' is not permitted as prior operation is still in progress")
    return said % {"id": image.pk}


def _check_web(method: Mapping[str, Any]) -> None:
    check_address(method.get("uri"))


def _check_glance(method: Mapping[str, Any]) -> None:
    for key in ("glance_region", "glance_image_id"):
        if key not in method:
            raise BadRequest(_("'%(name)s' needs to be set for glance-download import method") % {"name": key})
    if not isinstance(method["glance_image_id"], str) or not IMAGE_ID.fullmatch(method["glance_image_id"]):
        said = _("Remote image id does not look like a UUID: %(id)s")
        raise BadRequest(said % {"id": str(method["glance_image_id"])[:64]})


_CHECKS = {WEB: _check_web, GLANCE: _check_glance}


def _targets(image: Image, wanted: Mapping[str, Any], name: str, store: str | None) -> list[str]:
    """Return the stores that the bytes are to enter; none of them twice, none that has them already."""
    everywhere, asked = wanted.get("all_stores", False), wanted.get("stores")
    if everywhere and (asked or store):
        raise BadRequest(_("all_stores parameter can't be used with x-image-meta-store header or stores parameter"))
    if asked is not None and not (isinstance(asked, list) and all(isinstance(each, str) for each in asked)):
        raise BadRequest(_("'stores' must be a list of store ids"))
    chosen = stores.writable() if everywhere else [_known(each) for each in asked or [store or stores.names()[0]]]
    targets = list(dict.fromkeys(chosen))
    if name != COPY:
        return targets
    present = {row.store for row in locations.in_order(image)}
    if not everywhere and present & set(targets):
        said = _("Image is already present at store '%(store)s'") % {"store": min(present & set(targets))}
        raise BadRequest(said)
    return [each for each in targets if each not in present]


def _known(name: str) -> str:
    if name not in stores.names():
        raise Conflict(_("Unknown scheme '%(name)s' found in URI") % {"name": name[:64]})
    return writable_store(name).name
