"""Images and members as the Image API shows them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from images.models import Image, ImageMember
from images.models.listed import ListedImage

Seen = Callable[[Mapping[str, str]], dict[str, str]]
SCHEMA_IMAGE = "/v2/schemas/image"
SCHEMA_IMAGES = "/v2/schemas/images"
SCHEMA_MEMBER = "/v2/schemas/member"
SCHEMA_MEMBERS = "/v2/schemas/members"

_PLAIN = (
    "name", "disk_format", "container_format", "visibility", "size", "virtual_size", "status", "checksum", "protected", "min_ram",
    "min_disk", "owner", "os_hidden", "os_hash_algo", "os_hash_value", "id",
)  # fmt: skip
_plain = attrgetter(*_PLAIN)


def image(row: Image | ListedImage, seen: Seen) -> dict[str, Any]:
    """Return one image: a flat object, beside the standard attributes those of its own properties that ``seen`` leaves."""
    shape: dict[str, Any] = seen(row.custom)
    shape |= zip(_PLAIN, _plain(row), strict=True)
    shape |= {
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
        "tags": row.tag_names,
        "self": f"/v2/images/{row.pk}",
        "file": f"/v2/images/{row.pk}/file",
        "schema": SCHEMA_IMAGE,
    }
    if row.has_data:
        shape["stores"] = row.store
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


def moment(when: datetime) -> str:
    """Return a time as this API writes it."""
    return f"{when.astimezone(UTC).isoformat()[:19]}Z"
