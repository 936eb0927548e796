"""JSON schemas of metadata definitions: clients read them at ``/v2/schemas/metadefs``, and what they send is held against them.

Follows the Image API reference, "Metadata definition schemas".
"""

from typing import Any

from images.models.metadefs import NAME
from images.states import NamespaceVisibility

Schema = dict[str, Any]

_TYPES = ["array", "boolean", "integer", "number", "object", "string", None]
_SIZE: Schema = {"$ref": "#/definitions/positiveInteger"}
_SIZE_OR_0: Schema = {"$ref": "#/definitions/positiveIntegerDefault0"}
_WORDS: Schema = {"$ref": "#/definitions/stringArray"}
_KEYS: Schema = {"$ref": "#/definitions/property"}
_FLAG: Schema = {"type": "boolean"}
_TEXT: Schema = {"type": "string"}
_NAME: Schema = {"type": "string", "maxLength": NAME}
_FIXED: Schema = {"type": "string", "readOnly": True}


def _list(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


def _told(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


def _times(of: str) -> Schema:
    moment = {**_FIXED, "format": "date-time"}
    return {
        "created_at": _told(moment, f"When the {of} was made"),
        "updated_at": _told(moment, f"When the {of} last changed"),
    }


def _one(name: str, required: list[str], properties: Schema, definitions: Schema | None = None) -> Schema:
    schema = {"name": name, "properties": properties, "additionalProperties": False, "required": required}
    return schema | ({"definitions": definitions} if definitions else {})


_KEY: Schema = {
    "name": _NAME,
    "title": _TEXT,
    "description": _TEXT,
    "operators": _list(_TEXT),
    "type": {"type": "string", "enum": _TYPES},
    "required": _WORDS,
    "minimum": {"type": "number"},
    "maximum": {"type": "number"},
    "maxLength": _SIZE,
    "minLength": _SIZE_OR_0,
    "pattern": {"type": "string", "format": "regex"},
    "enum": {"type": "array"},
    "readonly": _FLAG,
    "default": {},
    "items": {"type": "object", "properties": {"type": {"type": "string", "enum": _TYPES}, "enum": {"type": "array"}}},
    "maxItems": _SIZE,
    "minItems": _SIZE_OR_0,
    "uniqueItems": {"type": "boolean", "default": False},
    "additionalItems": _FLAG,
}
_NUMBERS: Schema = {
    "positiveInteger": {"type": "integer", "minimum": 0},
    "positiveIntegerDefault0": {"allOf": [_SIZE, {"default": 0}]},
    "stringArray": _list(_TEXT, uniqueItems=True),
}
_DEFINITIONS: Schema = {
    **_NUMBERS,
    "property": {
        "type": "object",
        "additionalProperties": {"type": "object", "required": ["title", "type"], "properties": _KEY},
    },
}

PROPERTY = _one("property", ["type", "title", "name"], _KEY, _NUMBERS)
KEY = _one("property", ["type", "title"], _KEY, _NUMBERS)
TAG = _one("tag", ["name"], {"name": _NAME, **_times("tag")})
TAGS_SENT: Schema = {
    "name": "tags",
    "properties": {
        "tags": _list({"type": "object", "properties": {"name": _NAME}, "required": ["name"], "additionalProperties": False})
    },
    "required": ["tags"],
    "additionalProperties": False,
}
ASSOCIATION = _one(
    "resource_type_association",
    ["name"],
    {
        "name": _told(_NAME, "What the namespace is meant for, by the name that Heat has for it, such as OS::Glance::Image"),
        "prefix": _told(_NAME, "What the namespace's keys begin with on this resource type, separator included"),
        "properties_target": _told(_NAME, "Which of several sets of metadata of the resource type is meant"),
        **_times("association"),
    },
)
OBJECT = _one(
    "object",
    ["name"],
    {
        "name": _NAME,
        "description": _TEXT,
        "required": _WORDS,
        "properties": _KEYS,
        "schema": _FIXED,
        "self": _FIXED,
        **_times("object"),
    },
    _DEFINITIONS,
)
NAMESPACE = _one(
    "namespace",
    ["namespace"],
    {
        "namespace": _told(_NAME, "The name of the namespace; there is one of each"),
        "display_name": _told(_NAME, "What people call the namespace"),
        "description": _told({"type": "string", "maxLength": 500}, "What the namespace is about"),
        "visibility": {
            "type": "string",
            "description": "Who sees it besides its owner",
            "enum": [word.value for word in NamespaceVisibility],
        },
        "protected": _told(_FLAG, "Whether the namespace and what is in it are kept from deletion"),
        "owner": {"type": "string", "description": "The project it belongs to", "maxLength": 255},
        **_times("namespace"),
        "schema": _FIXED,
        "self": _FIXED,
        "resource_type_associations": _list(
            {"type": "object", "properties": {"name": _TEXT, "prefix": _TEXT, "properties_target": _TEXT}}
        ),
        "properties": _KEYS,
        "objects": _list(
            {
                "type": "object",
                "properties": {"name": _TEXT, "description": _TEXT, "required": _WORDS, "properties": _KEYS},
            }
        ),
        "tags": _list({"type": "object", "properties": {"name": _TEXT}}),
    },
    _DEFINITIONS,
)


def _collection(name: str, items: Schema, keyed: bool = False) -> Schema:
    one = {key: value for key, value in items.items() if key != "definitions"}
    many = {"type": "object", "additionalProperties": one} if keyed else _list(one)
    schema: Schema = {
        "name": name,
        "properties": {name: many, "first": _TEXT, "next": _TEXT, "schema": _TEXT},
        "links": [
            {"rel": "first", "href": "{first}"},
            {"rel": "next", "href": "{next}"},
            {"rel": "describedby", "href": "{schema}"},
        ],
    }
    return schema | ({"definitions": items["definitions"]} if "definitions" in items else {})


PUBLISHED: dict[str, Schema] = {
    "namespace": NAMESPACE,
    "namespaces": _collection("namespaces", NAMESPACE),
    "object": OBJECT,
    "objects": _collection("objects", OBJECT),
    "property": PROPERTY,
    "properties": _collection("properties", KEY, keyed=True),
    "resource_type": ASSOCIATION,
    "resource_types": _collection("resource_type_associations", ASSOCIATION),
    "tag": TAG,
    "tags": _collection("tags", TAG),
}
