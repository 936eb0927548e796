"""Images and members as the Image API shows them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from django.conf import settings

from images import policies
from images.models import Image, ImageMember, ImageTask
from images.models.listed import ListedImage
from images.services import placements, protections
from images.stores import registry as stores
from portal.core.context import RequestContext
from portal.core.policy import allowed

SCHEMA_IMAGE = "/v2/schemas/image"
SCHEMA_IMAGES = "/v2/schemas/images"
SCHEMA_MEMBER = "/v2/schemas/member"
SCHEMA_MEMBERS = "/v2/schemas/members"
SCHEMA_TASK = "/v2/schemas/task"
SCHEMA_TASKS = "/v2/schemas/tasks"

_PLAIN = (
    "name", "disk_format", "container_format", "visibility", "size", "virtual_size", "status", "checksum", "protected", "min_ram",
    "min_disk", "owner", "os_hidden", "os_hash_algo", "os_hash_value", "id",
)  # fmt: skip
_plain = attrgetter(*_PLAIN)


class Sight:
    """What a caller may see of these images besides what all may see."""

    def __init__(self, ctx: RequestContext, rows: Iterable[Image | ListedImage]) -> None:
        self.properties = protections.reader(ctx)
        self.shows_locations = settings.IMAGE_SHOW_LOCATIONS
        self._locations: dict[str, list[dict[str, Any]]] = {}
        if self.shows_locations:
            may = [row.pk for row in rows if allowed(ctx, policies.GET_IMAGE_LOCATION, row.policy_target())]
            self._locations = placements.shown(may)

    def locations(self, row: Image | ListedImage) -> list[dict[str, Any]]:
        """Return where an image lies, as far as the caller may know."""
        return self._locations.get(row.pk, [])


def image(row: Image | ListedImage, sight: Sight) -> dict[str, Any]:
    """Return one image as a caller sees it: a flat object, its own properties beside the standard ones."""
    shape: dict[str, Any] = sight.properties(row.custom)
    shape |= zip(_PLAIN, _plain(row), strict=True)
    shape |= {
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
        "tags": row.tag_names,
        "self": f"/v2/images/{row.pk}",
        "file": f"/v2/images/{row.pk}/file",
        "schema": SCHEMA_IMAGE,
    }
    for name in ("importing_to_stores", "failed_import"):
        if getattr(row, name) is not None:
            shape[f"os_glance_{name}"] = getattr(row, name)
    if row.import_task_id:
        shape["os_glance_import_task"] = row.import_task_id
    if row.store_names:
        shape["stores"] = ",".join(stores.by_weight(row.store_names))
    if sight.shows_locations:
        shape["locations"] = sight.locations(row)
    return shape


def member(row: ImageMember) -> dict[str, Any]:
    """Return one project that an image is shared with."""
    return {
        "member_id": row.member,
        "image_id": row.image_id,
        "status": row.status,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
        "schema": SCHEMA_MEMBER,
    }


def task(row: ImageTask) -> dict[str, Any]:
    """Return one task, with what went in and what came out."""
    shape = task_stub(row) | {"input": row.input, "message": row.message, "result": row.result, "progress": row.progress}
    for name in ("image_id", "request_id", "user_id"):
        if getattr(row, name):
            shape[name] = getattr(row, name)
    return shape


def task_stub(row: ImageTask) -> dict[str, Any]:
    """Return one task as a list shows it."""
    shape = {
        "id": row.pk,
        "type": row.type,
        "status": row.status,
        "owner": row.owner,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
        "self": f"/v2/tasks/{row.pk}",
        "schema": SCHEMA_TASK,
    }
    if row.expires_at:
        shape["expires_at"] = moment(row.expires_at)
    return shape


def moment(when: datetime) -> str:
    """Return a time as this API writes it."""
    return f"{when.astimezone(UTC).isoformat()[:19]}Z"
