"""What an image record may hold: types, lengths and names, the same for create and for update.

Follows the Image API reference ("Create image", "Update image") and the service's schema ``/v2/schemas/image``.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from images.states import AMAZON_FORMATS, CONTAINER_FORMATS, DISK_FORMATS, Visibility
from images.stores.base import IMAGE_ID
from portal.core.errors import BadRequest, Forbidden, TooLarge

MAX_INT = 2**31 - 1
MAX_OWNER = 64
MAX_VALUE = 65535
MAX_PROPERTIES = 128
MAX_TAGS = 128

BASE = frozenset(
    {
        "id", "name", "visibility", "status", "container_format", "disk_format", "size", "virtual_size", "checksum", "os_hash_algo",
        "os_hash_value", "min_disk", "min_ram", "protected", "os_hidden", "owner", "tags", "created_at", "updated_at", "self", "file",
        "schema", "direct_url", "locations", "stores",
    }
)  # fmt: skip
READ_ONLY = frozenset(
    {
        "status", "size", "virtual_size", "checksum", "os_hash_algo", "os_hash_value", "created_at", "updated_at", "self", "file",
        "schema", "direct_url", "stores",
    }
)  # fmt: skip
RESERVED = frozenset(
    {"deleted", "deleted_at", "is_public", "location", "properties", "members", "upload_id", "upload_bytes", "store"}
)
RESERVED_PREFIX = "os_glance_"


def require_writable(name: str) -> None:
    """Let an attribute's name pass if clients may set it; raises Forbidden with the reason."""
    if name in READ_ONLY:
        raise Forbidden(_("Attribute '%(name)s' is read-only.") % {"name": name})
    if name in RESERVED or name.startswith(RESERVED_PREFIX):
        raise Forbidden(_("Attribute '%(name)s' is reserved.") % {"name": name})
    if name == "locations":
        raise Forbidden(_("It's not allowed to add/replace/remove locations if locations are invisible."))


def checked(name: str, value: Any) -> Any:
    """Return a value that may stand in attribute ``name``; raises BadRequest."""
    check = _CHECKS.get(name)
    if check is not None:
        return check(name, value)
    return _custom(name, value)


def require_known_formats(disk_format: str | None, container_format: str | None) -> None:
    """Let a pair of formats pass; the Amazon ones come in equal pairs."""
    named = {disk_format, container_format} & AMAZON_FORMATS
    if disk_format and container_format and named and disk_format != container_format:
        raise BadRequest(
            _(
                "Invalid mix of disk and container formats. When setting a disk or container format to one of "
                "'aki', 'ari', or 'ami', the container and disk formats must match."
            )
        )


def require_few(properties: Mapping[str, str], tags: list[str]) -> None:
    """Let the number of properties and tags pass; raises TooLarge."""
    if len(properties) > MAX_PROPERTIES:
        said = _("The limit has been exceeded on the number of allowed image properties. Maximum: %(most)s")
        raise TooLarge(said % {"most": MAX_PROPERTIES})
    if len(tags) > MAX_TAGS:
        said = _("The limit has been exceeded on the number of allowed image tags. Maximum: %(most)s")
        raise TooLarge(said % {"most": MAX_TAGS})


def tag(value: Any) -> str:
    """Return a tag that may be put on an image; raises BadRequest."""
    if not isinstance(value, str) or not 0 < len(value) <= 255 or not value.isprintable():
        raise BadRequest(_("Invalid image tag: it must be a string of 1 to 255 printable characters."))
    return value


def _text(name: str, value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > 255 or "\x00" in value:
        raise _invalid(_("Invalid value for '%(name)s': %(value)s is not a string of at most 255 characters."), name, value)
    return value


def _owner(name: str, value: Any) -> str | None:
    text = _text(name, value)
    if text is not None and len(text) > MAX_OWNER:
        said = _("Invalid value for '%(name)s': it must be the id of a project, at most %(most)s characters.")
        raise BadRequest(said % {"name": name, "most": MAX_OWNER})
    return text


def _custom(name: str, value: Any) -> str:
    if not name or len(name) > 255 or not name.isprintable():
        raise BadRequest(_("The name of an image property must have 1 to 255 printable characters."))
    if not isinstance(value, str):
        raise _invalid(_("Invalid value for '%(name)s': %(value)s is not of type 'string'."), name, value)
    if len(value.encode()) > MAX_VALUE or "\x00" in value:
        said = _("Invalid value for '%(name)s': it must be text of at most %(most)s bytes.")
        raise BadRequest(said % {"name": name, "most": MAX_VALUE})
    return value


def _amount(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_INT:
        said = _("Invalid value for '%(name)s': %(value)s is not an integer from 0 to %(most)s.")
        raise BadRequest(said % {"name": name, "value": _short(value), "most": MAX_INT})
    return value


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _invalid(_("Invalid value for '%(name)s': %(value)s is not of type 'boolean'."), name, value)
    return value


def _one_of(words: tuple[str, ...], null: bool) -> Callable[[str, Any], str | None]:
    def check(name: str, value: Any) -> str | None:
        if value is None and null:
            return None
        if value not in words:
            said = _("Invalid value for '%(name)s': %(value)s is not one of %(words)s.")
            raise BadRequest(said % {"name": name, "value": _short(value), "words": ", ".join(words)})
        return str(value)

    return check


def _tags(name: str, value: Any) -> list[str]:
    if not isinstance(value, list):
        raise _invalid(_("Invalid value for '%(name)s': %(value)s is not of type 'array'."), name, value)
    return list(dict.fromkeys(tag(item) for item in value))


def _id(name: str, value: Any) -> str:
    if not isinstance(value, str) or not IMAGE_ID.fullmatch(value):
        raise _invalid(_("Invalid value for '%(name)s': %(value)s is not a UUID."), name, value)
    return value


def _invalid(sentence: str, name: str, value: Any) -> BadRequest:
    return BadRequest(sentence % {"name": name, "value": _short(value)})


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "id": _id,
    "name": _text,
    "owner": _owner,
    "visibility": _one_of(tuple(Visibility), null=False),
    "container_format": _one_of(CONTAINER_FORMATS, null=True),
    "disk_format": _one_of(DISK_FORMATS, null=True),
    "min_disk": _amount,
    "min_ram": _amount,
    "protected": _flag,
    "os_hidden": _flag,
    "tags": _tags,
    "kernel_id": _id,  # with these a machine image boots
    "ramdisk_id": _id,
}
