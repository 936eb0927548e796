"""Objects of a namespace: keys that belong together."""

from typing import Any

from images import metadef_policies as policies
from images.models import MetadefNamespace, MetadefObject
from images.services.metadefs import bodies, parts
from portal.core.context import RequestContext
from portal.core.policy import authorize


def create(*, ctx: RequestContext, namespace: MetadefNamespace, wanted: Any) -> MetadefObject:
    """Define an object in a namespace."""
    authorize(ctx, policies.ADD_OBJECT, namespace)
    return insert(namespace, [bodies.metadata_object(wanted)])[0]


def replace(*, ctx: RequestContext, row: MetadefObject, wanted: Any) -> MetadefObject:
    """Write an object anew; what is not named is emptied."""
    authorize(ctx, policies.MODIFY_OBJECT, row.namespace)
    return parts.rewrite(_fill(row, bodies.metadata_object(wanted)))


def delete(*, ctx: RequestContext, row: MetadefObject) -> None:
    """Delete an object unless its namespace is protected."""
    authorize(ctx, policies.DELETE_OBJECT, row.namespace)
    parts.remove(row, f"object {row}")


def delete_all(*, ctx: RequestContext, namespace: MetadefNamespace) -> None:
    """Delete every object of a namespace unless that is protected."""
    authorize(ctx, policies.DELETE_NAMESPACE, namespace)
    parts.remove_all(namespace, MetadefObject)


def insert(namespace: MetadefNamespace, wanted: list[bodies.Body]) -> list[MetadefObject]:
    """Write objects whose bodies were checked."""
    return parts.insert(namespace, [_fill(MetadefObject(namespace=namespace), body) for body in wanted])


def _fill(row: MetadefObject, body: bodies.Body) -> MetadefObject:
    row.name = body["name"]
    row.description = body.get("description", "")
    row.required = body.get("required", [])
    row.properties = body.get("properties", {})
    return row
