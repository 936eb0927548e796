"""Metadata definitions as the Image API shows them; what is empty is left out, as clients of this API expect it."""

from typing import Any

from images.api.v2.shapes import moment
from images.models import MetadefAssociation, MetadefNamespace, MetadefObject, MetadefProperty
from images.models.metadefs import Dated

Shape = dict[str, Any]

NAMESPACES = "/v2/metadefs/namespaces"
SCHEMAS = "/v2/schemas/metadefs"


def namespace(row: MetadefNamespace) -> Shape:
    """Return a namespace's own fields."""
    shape = {
        "namespace": row.namespace,
        "visibility": row.visibility,
        "protected": row.protected,
        "owner": row.owner,
        "self": f"{NAMESPACES}/{row.namespace}",
        "schema": f"{SCHEMAS}/namespace",
        **_times(row),
    }
    return shape | _given(row, "display_name", "description")


def namespace_listed(row: MetadefNamespace) -> Shape:
    """Return a namespace for a list: its own fields and what it is meant for."""
    found = [association(item) for item in row.associations.all()]
    return namespace(row) | ({"resource_type_associations": found} if found else {})


def namespace_whole(row: MetadefNamespace, resource_type: str = "") -> Shape:
    """Return a namespace with all that is in it; keys bear the prefix that they have on ``resource_type``."""
    prefix = next((item.prefix for item in row.associations.all() if item.resource_type.name == resource_type), "")
    contents = {
        "objects": [metadata_object(item, row, prefix) for item in row.object_definitions.all()],
        "properties": {prefix + item.name: item.schema for item in row.properties.all()},
        "tags": [{"name": item.name} for item in row.tags.all()],
    }
    return namespace_listed(row) | {name: value for name, value in contents.items() if value}


def metadata_object(row: MetadefObject, within: MetadefNamespace, prefix: str = "") -> Shape:
    """Return an object of a namespace."""
    shape = {
        "name": row.name,
        "required": [prefix + name for name in row.required],
        "properties": {prefix + name: schema for name, schema in row.properties.items()},
        "self": f"{NAMESPACES}/{within.namespace}/objects/{row.name}",
        "schema": f"{SCHEMAS}/object",
        **_times(row),
    }
    return shape | _given(row, "description")


def metadata_property(row: MetadefProperty) -> Shape:
    """Return a property of a namespace."""
    return {"name": row.name, **row.schema}


def association(row: MetadefAssociation) -> Shape:
    """Return what a namespace is meant for."""
    return {"name": row.resource_type.name, **_times(row)} | _given(row, "prefix", "properties_target")


def named(row: Any) -> Shape:
    """Return a tag or a resource type: a name and two times."""
    return {"name": row.name, **_times(row)}


def _times(row: Dated) -> Shape:
    return {"created_at": moment(row.created_at), "updated_at": moment(row.updated_at)}


def _given(row: Dated, *names: str) -> Shape:
    return {name: value for name in names if (value := getattr(row, name))}
