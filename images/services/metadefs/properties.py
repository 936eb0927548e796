"""Properties of a namespace: one key each, with its type and limits."""

from collections.abc import Mapping
from typing import Any

from images import metadef_policies as policies
from images.models import MetadefNamespace, MetadefProperty
from images.services.metadefs import bodies, parts
from portal.core.context import RequestContext
from portal.core.policy import authorize


def create(*, ctx: RequestContext, namespace: MetadefNamespace, wanted: Any) -> MetadefProperty:
    """Define a property in a namespace."""
    authorize(ctx, policies.ADD_PROPERTY, namespace)
    body = bodies.metadata_property(wanted)
    return insert(namespace, {body["name"]: body})[0]


def replace(*, ctx: RequestContext, row: MetadefProperty, wanted: Any) -> MetadefProperty:
    """Write a property anew; what is not named is gone."""
    authorize(ctx, policies.MODIFY_PROPERTY, row.namespace)
    body = bodies.metadata_property(wanted)
    return parts.rewrite(_fill(row, body["name"], body))


def delete(*, ctx: RequestContext, row: MetadefProperty) -> None:
    """Delete a property unless its namespace is protected."""
    authorize(ctx, policies.REMOVE_PROPERTY, row.namespace)
    parts.remove(row, f"property {row}")


def delete_all(*, ctx: RequestContext, namespace: MetadefNamespace) -> None:
    """Delete every property of a namespace unless that is protected."""
    authorize(ctx, policies.DELETE_NAMESPACE, namespace)
    parts.remove_all(namespace, MetadefProperty)


def insert(namespace: MetadefNamespace, wanted: Mapping[str, bodies.Body]) -> list[MetadefProperty]:
    """Write properties, by name, whose bodies were checked."""
    return parts.insert(namespace, [_fill(MetadefProperty(namespace=namespace), *each) for each in wanted.items()])


def _fill(row: MetadefProperty, name: str, body: bodies.Body) -> MetadefProperty:
    row.name = name
    row.schema = {key: value for key, value in body.items() if key != "name"}
    return row
