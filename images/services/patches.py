"""JSON patch as the Image API has it: a flat object, the operations add, replace and remove, and one step into ``tags``.

Follows the Image API reference, "Update image" and its "HTTP PATCH media types".
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from images.models import Image
from images.services import attributes
from portal.core.errors import BadRequest, Conflict, Forbidden

OPERATIONS = ("add", "replace", "remove")
FIELDS = ("name", "owner", "visibility", "container_format", "disk_format", "min_disk", "min_ram", "protected", "os_hidden")
FORMATS = frozenset({"container_format", "disk_format"})
MAX_CHANGES = 1000
LOCATIONS = "locations"


@dataclass(frozen=True)
class Change:
    """One operation on one attribute, or at one position of the list ``locations``.

    An ``anew`` one adds only what is not there yet, as the older form has it.
    """

    operation: str
    name: str
    value: Any = None
    anew: bool = False
    position: str | None = None


@dataclass(frozen=True)
class Draft:
    """What clients may change of an image."""

    fields: dict[str, Any]
    custom: dict[str, str]
    tags: list[str]

    @classmethod
    def of(cls, image: Image) -> "Draft":
        """Return the present state of an image whose details are loaded."""
        return cls({name: getattr(image, name) for name in FIELDS}, image.custom, image.tag_names)


def parse(document: Any) -> list[Change]:
    """Return the operations of a patch document; raises BadRequest or Forbidden."""
    if not isinstance(document, list) or len(document) > MAX_CHANGES:
        raise BadRequest(_("Request body must be a JSON array of operation objects."))
    return [_change(entry) for entry in document]


def parse_v20(document: Any) -> list[Change]:
    """Return the operations of the older form, in which the operation's name is the key of the path."""
    if not isinstance(document, list) or len(document) > MAX_CHANGES:
        raise BadRequest(_("Request body must be a JSON array of operation objects."))
    changes = [_change(_modern(entry)) for entry in document]
    return [replace(change, anew=change.operation == "add") for change in changes]


def apply(draft: Draft, changes: list[Change], *, queued: bool) -> Draft:
    """Return the draft after all changes; raises when one of them cannot be."""
    for change in changes:
        attributes.require_writable(change.name)
        if change.name == "id":
            raise Forbidden(_("Attribute '%(name)s' is read-only.") % {"name": change.name})
        if change.name in FORMATS and not queued:
            raise Forbidden(_("Attribute %(name)s can be only replaced for a queued image.") % {"name": change.name})
        if change.anew and (change.name in attributes.BASE or change.name in draft.custom):
            raise Conflict(_("Property %(name)s already present.") % {"name": change.name})
        draft = _kind(change.name)(draft, change)
    return draft


def _kind(name: str) -> "Callable[[Draft, Change], Draft]":
    if name in FIELDS:
        return _apply_field
    return _apply_tags if name == "tags" else _apply_custom


def _apply_field(draft: Draft, change: Change) -> Draft:
    if change.operation == "remove":
        raise Forbidden(_("Property %(name)s may not be removed.") % {"name": change.name})
    return replace(draft, fields={**draft.fields, change.name: attributes.checked(change.name, change.value)})


def _apply_tags(draft: Draft, change: Change) -> Draft:
    if change.operation == "remove":
        raise Forbidden(_("Property %(name)s may not be removed.") % {"name": change.name})
    return replace(draft, tags=attributes.checked("tags", change.value))


def _apply_custom(draft: Draft, change: Change) -> Draft:
    if change.operation != "add" and change.name not in draft.custom:
        raise Conflict(_("Property %(name)s does not exist.") % {"name": change.name})
    custom = {name: value for name, value in draft.custom.items() if name != change.name}
    if change.operation != "remove":
        custom[change.name] = attributes.checked(change.name, change.value)
    return replace(draft, custom=custom)


def _change(entry: Any) -> Change:
    if not isinstance(entry, dict):
        raise BadRequest(_("Operations must be JSON objects."))
    operation = entry.get("op")
    if operation not in OPERATIONS:
        raise BadRequest(_("Operations must be one of %(names)s.") % {"names": ", ".join(OPERATIONS)})
    if operation != "remove" and "value" not in entry:
        raise BadRequest(_("Operation %(operation)s requires a member named 'value'.") % {"operation": operation})
    name, position = _pointed(entry.get("path"))
    return Change(operation, name, entry.get("value"), position=position)


def _pointed(path: Any) -> tuple[str, str | None]:
    """Return the attribute and the position that an operation speaks of."""
    if isinstance(path, str) and path.startswith(f"/{LOCATIONS}/"):
        return LOCATIONS, path.removeprefix(f"/{LOCATIONS}/")
    return _name(path), None


def _name(path: Any) -> str:
    if not isinstance(path, str) or not path.startswith("/"):
        raise BadRequest(_("Operations must name a path that begins with a slash."))
    steps = path[1:].split("/")
    if len(steps) != 1:
        raise BadRequest(_("Invalid JSON pointer for this resource: %(path)s.") % {"path": repr(path[:255])})
    name = steps[0]
    if "~" in name.replace("~0", "").replace("~1", ""):
        raise BadRequest(_("Pointer contains '~' not part of a recognized escape sequence."))
    return name.replace("~1", "/").replace("~0", "~")


def _modern(entry: Any) -> Any:
    if not isinstance(entry, dict):
        raise BadRequest(_("Operations must be JSON objects."))
    named = [operation for operation in OPERATIONS if operation in entry]
    if len(named) != 1:
        said = _("Operation objects must contain exactly one of %(names)s.")
        raise BadRequest(said % {"names": ", ".join(OPERATIONS)})
    return {**entry, "op": named[0], "path": entry[named[0]]}
