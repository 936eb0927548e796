"""Tags of a namespace: words that may be put on things."""

from typing import Any

from django.db import transaction

from images import metadef_policies as policies
from images.models import MetadefNamespace, MetadefTag
from images.services.metadefs import bodies, parts
from portal.core.context import RequestContext
from portal.core.policy import authorize


def create(*, ctx: RequestContext, namespace: MetadefNamespace, name: str) -> MetadefTag:
    """Define a tag in a namespace."""
    authorize(ctx, policies.ADD_TAG, namespace)
    return insert(namespace, [bodies.tag({"name": name})])[0]


def create_many(*, ctx: RequestContext, namespace: MetadefNamespace, wanted: Any, append: bool) -> list[MetadefTag]:
    """Define several tags, all or none; unless they are appended, they take the place of those that are there.

    An empty list changes nothing: it is no way to delete all tags.
    """
    authorize(ctx, policies.ADD_TAGS, namespace)
    names = bodies.tags(wanted)
    with transaction.atomic():
        if names and not append:
            parts.lock(namespace)
            MetadefTag.objects.filter(namespace=namespace).delete()
        return insert(namespace, names)


def rename(*, ctx: RequestContext, row: MetadefTag, wanted: Any) -> MetadefTag:
    """Give a tag another name."""
    authorize(ctx, policies.MODIFY_TAG, row.namespace)
    row.name = bodies.tag(wanted)
    return parts.rewrite(row)


def delete(*, ctx: RequestContext, row: MetadefTag) -> None:
    """Delete a tag unless its namespace is protected."""
    authorize(ctx, policies.DELETE_TAG, row.namespace)
    parts.remove(row, f"tag {row}")


def delete_all(*, ctx: RequestContext, namespace: MetadefNamespace) -> None:
    """Delete every tag of a namespace unless that is protected."""
    authorize(ctx, policies.DELETE_NAMESPACE, namespace)
    authorize(ctx, policies.DELETE_TAGS, namespace)
    parts.remove_all(namespace, MetadefTag)


def insert(namespace: MetadefNamespace, names: list[str]) -> list[MetadefTag]:
    """Write tags whose names were checked."""
    return parts.insert(namespace, [MetadefTag(namespace=namespace, name=name) for name in names])
