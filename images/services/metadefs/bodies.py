"""What clients send of metadata definitions, held against the published schemas before anything is written."""

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator

from images.services.documents import require_storable
from images.services.metadefs import schemas
from portal.core.errors import BadRequest, Forbidden

Body = dict[str, Any]

_TIMES = ("created_at", "updated_at")
_LINKS = ("self", "schema")

_NAMESPACE, _OBJECT, _PROPERTY, _KEY, _TAG, _TAGS, _ASSOCIATION = (
    Draft202012Validator(schema)
    for schema in (
        schemas.NAMESPACE,
        schemas.OBJECT,
        schemas.PROPERTY,
        schemas.KEY,
        schemas.TAG,
        schemas.TAGS_SENT,
        schemas.ASSOCIATION,
    )
)


def namespace(body: Any) -> Body:
    """Return a namespace that may be written, with all that lies in it; raises BadRequest."""
    found = _checked(_NAMESPACE, body, (*_LINKS, *_TIMES))
    _require_addressable(found["namespace"])
    for item in found.get("objects", []):
        _object(item)
    _require_keys(found.get("properties", {}))
    for item in found.get("tags", []):
        _named(_TAG, item)
    for item in found.get("resource_type_associations", []):
        _named(_ASSOCIATION, item)
    return found


def metadata_object(body: Any) -> Body:
    """Return an object that may be written; raises BadRequest."""
    return _object(_checked(_OBJECT, body, (*_LINKS, *_TIMES)))


def metadata_property(body: Any) -> Body:
    """Return a property that may be written; raises BadRequest."""
    return _named(_PROPERTY, body, _TIMES)


def tag(body: Any) -> str:
    """Return the name of a tag that may be written; raises BadRequest."""
    return str(_named(_TAG, body, _TIMES)["name"])


def tags(body: Any) -> list[str]:
    """Return the names of several tags that may be written; raises BadRequest."""
    names = [str(item["name"]) for item in _checked(_TAGS, body, _TIMES)["tags"]]
    for name in names:
        _require_addressable(name)
    return names


def association(body: Any) -> Body:
    """Return a resource type that a namespace may be meant for; raises BadRequest."""
    return _named(_ASSOCIATION, body, _TIMES)


def _object(body: Any) -> Body:
    found = _named(_OBJECT, body)
    _require_keys(found.get("properties", {}))
    return found


def _require_keys(keys: Mapping[str, Any]) -> None:
    """Let properties pass that are written as a mapping of names to schemas."""
    for name, schema in keys.items():
        _named(_PROPERTY, {"name": name, **_checked(_KEY, schema)})


def _named(validator: Draft202012Validator, body: Any, read_only: tuple[str, ...] = ()) -> Body:
    found = _checked(validator, body, read_only)
    _require_addressable(found["name"])
    return found


def _checked(validator: Draft202012Validator, body: Any, read_only: tuple[str, ...] = ()) -> Body:
    if not isinstance(body, dict):
        raise BadRequest("Request body must be a JSON object.")
    for name in read_only:
        if name in body:
            raise Forbidden(f"Attribute '{name}' is read-only.")
    require_storable(body)
    error = next(validator.iter_errors(body), None)
    if error is not None:
        raise BadRequest(f"Provided object does not match schema '{validator.schema['name']}': {error.message[:300]}")
    return body


def _require_addressable(name: str) -> None:
    """Let a name pass that can stand in an address."""
    if not name or not name.isprintable() or "/" in name or name in (".", ".."):
        raise BadRequest(f"Invalid name {name[:80]!r}: it must have 1 to 80 printable characters and no slash.")
