"""Namespaces of metadata definitions: made whole, changed and deleted here.

Follows the Image API reference, "Metadata definition namespaces".
"""

import logging
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from images import metadef_policies as policies
from images.metadef_selectors import with_contents
from images.models import MetadefNamespace
from images.services.metadefs import bodies, objects, parts, properties, resource_types, tags
from images.states import NamespaceVisibility
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Conflict, Forbidden
from portal.core.policy import authorize

LOG = logging.getLogger(__name__)

_PARTS = {
    "resource_type_associations": policies.ADD_ASSOCIATION,
    "objects": policies.ADD_OBJECT,
    "properties": policies.ADD_PROPERTY,
    "tags": policies.ADD_TAG,
}


def create(*, ctx: RequestContext, wanted: Any) -> MetadefNamespace:
    """Make a namespace with all that the body holds, or nothing."""
    body = bodies.namespace(wanted)
    namespace = _fill(MetadefNamespace(), ctx, body)
    authorize(ctx, policies.ADD_NAMESPACE, namespace)
    for part, rule in _PARTS.items():
        if body.get(part):
            authorize(ctx, rule, namespace)
    _require_own(ctx, namespace.owner)
    with transaction.atomic():
        _save(namespace, f"The metadata definition namespace={namespace} already exists.")
        fill(namespace, body)
    LOG.info("Metadata namespace %s is made for project %s", namespace, namespace.owner)
    return with_contents(namespace)


def replace(*, ctx: RequestContext, namespace: MetadefNamespace, wanted: Any) -> MetadefNamespace:
    """Write a namespace's own fields anew; what is not named gets its default, what lies in the namespace stays."""
    authorize(ctx, policies.MODIFY_NAMESPACE, namespace)
    body = bodies.namespace(wanted)
    with transaction.atomic():
        locked = parts.lock(namespace)
        before = locked.owner
        changed = _fill(locked, ctx, body)
        if changed.owner != before:
            _require_own(ctx, changed.owner)
        changed.updated_at = timezone.now()
        _save(
            changed,
            f"Invalid update. It would result in a duplicate metadata definition namespace with the same name of {changed}",
        )
    LOG.info("Metadata namespace %s is changed", namespace)
    return changed


@transaction.atomic
def delete(*, ctx: RequestContext, namespace: MetadefNamespace) -> None:
    """Delete a namespace and all that is in it unless it is protected."""
    authorize(ctx, policies.DELETE_NAMESPACE, namespace)
    parts.lock_unprotected(namespace, f"namespace {namespace}")
    namespace.delete()
    LOG.info("Metadata namespace %s is deleted", namespace)


def fill(namespace: MetadefNamespace, body: bodies.Body) -> None:
    """Write what a checked body holds into a namespace, inside the caller's transaction."""
    resource_types.insert(namespace, body.get("resource_type_associations", []))
    objects.insert(namespace, body.get("objects", []))
    properties.insert(namespace, body.get("properties", {}))
    tags.insert(namespace, [item["name"] for item in body.get("tags", [])])


def _fill(namespace: MetadefNamespace, ctx: RequestContext, body: bodies.Body) -> MetadefNamespace:
    namespace.namespace = body["namespace"]
    namespace.display_name = body.get("display_name", "")
    namespace.description = body.get("description", "")
    namespace.visibility = body.get("visibility", NamespaceVisibility.PRIVATE)
    namespace.protected = body.get("protected", False)
    namespace.owner = body.get("owner") or ctx.project_id or ""
    if not namespace.owner:
        raise BadRequest("Without a project in your scope, the namespace's owner must be named.")
    return namespace


def _require_own(ctx: RequestContext, owner: str) -> None:
    if owner != ctx.project_id and not ctx.is_operator:
        raise Forbidden(f"You are not permitted to have metadata namespaces owned by '{owner}'.")


def _save(namespace: MetadefNamespace, complaint: str) -> None:
    try:
        with transaction.atomic():
            namespace.save()
    except IntegrityError as error:
        raise Conflict(complaint) from error
