"""Resource types: what a namespace is meant for, and what its keys begin with there."""

from typing import Any

from django.db import transaction

from images import metadef_policies as policies
from images.metadef_selectors import association_of
from images.models import MetadefAssociation, MetadefNamespace, MetadefResourceType
from images.services.metadefs import bodies, parts
from portal.core.context import RequestContext
from portal.core.errors import NotFound
from portal.core.policy import authorize


def associate(*, ctx: RequestContext, namespace: MetadefNamespace, wanted: Any) -> MetadefAssociation:
    """Say that a namespace is meant for a resource type; one that nobody named before becomes known."""
    authorize(ctx, policies.ADD_ASSOCIATION, namespace)
    return insert(namespace, [bodies.association(wanted)])[0]


def dissociate(*, ctx: RequestContext, namespace: MetadefNamespace, name: str) -> None:
    """Say that a namespace is not meant for a resource type any more, unless the namespace is protected."""
    authorize(ctx, policies.REMOVE_ASSOCIATION, namespace)
    try:
        row = association_of(namespace, name)
    except NotFound as error:
        raise NotFound("ResourceType", name, f"Failed to find resource type {name} to delete") from error
    parts.remove(row, f"resource-type-association {name}")


@transaction.atomic
def insert(namespace: MetadefNamespace, wanted: list[bodies.Body]) -> list[MetadefAssociation]:
    """Write associations whose bodies were checked."""
    return parts.insert(namespace, [_row(namespace, body) for body in wanted])


def _row(namespace: MetadefNamespace, body: bodies.Body) -> MetadefAssociation:
    resource_type, _made = MetadefResourceType.objects.get_or_create(name=body["name"])
    extent = {name: body.get(name, "") for name in ("prefix", "properties_target")}
    return MetadefAssociation(namespace=namespace, resource_type=resource_type, **extent)
