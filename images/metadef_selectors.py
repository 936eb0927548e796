"""Which metadata definitions a caller may see.

What a namespace holds is as open as the namespace; another project's private one does not exist for the caller.
"""

from typing import TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from images import metadef_policies as policies
from images.models import MetadefAssociation, MetadefNamespace, MetadefObject, MetadefProperty, MetadefResourceType, MetadefTag
from images.states import NamespaceVisibility
from portal.core.context import RequestContext
from portal.core.errors import NotFound
from portal.core.policy import allowed, authorize
from portal.core.policy.sql import Column, keep_allowed

Part = TypeVar("Part", bound=Model)

# What rules call %(name)s, see MetadefNamespace.policy_target.
COLUMNS: dict[str, Column] = {"project_id": "owner", "owner": "owner", "tenant": "owner", "visibility": "visibility"}

_MISSING = {
    "Object": gettext_noop("The metadata definition object with name=%(name)s was not found in namespace=%(namespace)s."),
    "Property": gettext_noop("The metadata definition property with name=%(name)s was not found in namespace=%(namespace)s."),
    "Tag": gettext_noop("The metadata definition tag with name=%(name)s was not found in namespace=%(namespace)s."),
}


def namespaces_visible(ctx: RequestContext) -> QuerySet[MetadefNamespace]:
    """Return the caller's project's namespaces and the public ones; operators see all."""
    rows = MetadefNamespace.objects.all()
    if not ctx.is_operator:
        own = Q(owner=ctx.project_id) if ctx.project_id else Q(pk__in=[])
        rows = rows.filter(own | Q(visibility=NamespaceVisibility.PUBLIC))
    return keep_allowed(rows, ctx, policies.GET_NAMESPACE, COLUMNS)


def namespaces_listed(ctx: RequestContext) -> QuerySet[MetadefNamespace]:
    """Return the namespaces for a list, their resource types brought along."""
    authorize(ctx, policies.GET_NAMESPACES)
    authorize(ctx, policies.LIST_RESOURCE_TYPES)
    return namespaces_visible(ctx).prefetch_related("associations__resource_type")


def get_namespace(ctx: RequestContext, name: str) -> MetadefNamespace:
    """Return a namespace the caller may see; any other name is simply not found."""
    found = _first(namespaces_visible(ctx).filter(namespace=name), name)
    if found is None:
        raise NotFound("Namespace", name, _("Metadata definition namespace=%(name)s was not found.") % {"name": name})
    return found


def get_namespace_whole(ctx: RequestContext, name: str) -> MetadefNamespace:
    """Return a namespace with all that is in it, in a fixed number of queries."""
    namespace = get_namespace(ctx, name)
    for rule in (policies.LIST_RESOURCE_TYPES, policies.GET_OBJECTS, policies.GET_PROPERTIES, policies.GET_TAGS):
        authorize(ctx, rule, namespace)
    return with_contents(namespace)


def with_contents(namespace: MetadefNamespace) -> MetadefNamespace:
    """Return the namespace as it is in the database now, with all that is in it."""
    parts = ("associations__resource_type", "object_definitions", "properties", "tags")
    return MetadefNamespace.objects.prefetch_related(*parts).get(pk=namespace.pk)


def objects_of(ctx: RequestContext, namespace: MetadefNamespace) -> QuerySet[MetadefObject]:
    """Return the objects of a namespace."""
    authorize(ctx, policies.GET_OBJECTS, namespace)
    rows = MetadefObject.objects.filter(namespace=namespace)
    return rows if allowed(ctx, policies.GET_OBJECT, namespace) else rows.none()


def get_object(ctx: RequestContext, namespace: MetadefNamespace, name: str) -> MetadefObject:
    """Return one object of a namespace."""
    authorize(ctx, policies.GET_OBJECT, namespace)
    return object_of(namespace, name)


def properties_of(ctx: RequestContext, namespace: MetadefNamespace) -> QuerySet[MetadefProperty]:
    """Return the properties of a namespace."""
    authorize(ctx, policies.GET_PROPERTIES, namespace)
    return MetadefProperty.objects.filter(namespace=namespace)


def get_property(ctx: RequestContext, namespace: MetadefNamespace, name: str, resource_type: str = "") -> MetadefProperty:
    """Return one property of a namespace; with a resource type its name bears the prefix that it has there."""
    authorize(ctx, policies.GET_PROPERTY, namespace)
    if not resource_type:
        return property_of(namespace, name)
    authorize(ctx, policies.GET_RESOURCE_TYPE, namespace)
    prefix = association_of(namespace, resource_type).prefix
    if not prefix or not name.startswith(prefix):
        said = _("Property %(name)s does not start with the expected resource type association prefix of '%(prefix)s'.")
        raise NotFound("Property", name, said % {"name": name, "prefix": prefix})
    return property_of(namespace, name.removeprefix(prefix))


def tags_of(ctx: RequestContext, namespace: MetadefNamespace) -> QuerySet[MetadefTag]:
    """Return the tags of a namespace."""
    authorize(ctx, policies.GET_TAGS, namespace)
    return MetadefTag.objects.filter(namespace=namespace)


def get_tag(ctx: RequestContext, namespace: MetadefNamespace, name: str) -> MetadefTag:
    """Return one tag of a namespace."""
    authorize(ctx, policies.GET_TAG, namespace)
    return tag_of(namespace, name)


def resource_types(ctx: RequestContext) -> QuerySet[MetadefResourceType]:
    """Return every kind of thing that some namespace is or was meant for."""
    authorize(ctx, policies.LIST_RESOURCE_TYPES)
    return MetadefResourceType.objects.all()


def associations_of(ctx: RequestContext, namespace: MetadefNamespace) -> QuerySet[MetadefAssociation]:
    """Return the resource types that a namespace is meant for."""
    authorize(ctx, policies.LIST_RESOURCE_TYPES, namespace)
    rows = MetadefAssociation.objects.filter(namespace=namespace).select_related("resource_type")
    return rows if allowed(ctx, policies.GET_RESOURCE_TYPE, namespace) else rows.none()


def object_of(namespace: MetadefNamespace, name: str) -> MetadefObject:
    """Return an object by name, whoever asks."""
    return _part(MetadefObject, "Object", namespace, name)


def property_of(namespace: MetadefNamespace, name: str) -> MetadefProperty:
    """Return a property by name, whoever asks."""
    return _part(MetadefProperty, "Property", namespace, name)


def tag_of(namespace: MetadefNamespace, name: str) -> MetadefTag:
    """Return a tag by name, whoever asks."""
    return _part(MetadefTag, "Tag", namespace, name)


def association_of(namespace: MetadefNamespace, resource_type: str) -> MetadefAssociation:
    """Return what ties a namespace to a resource type, whoever asks."""
    rows = MetadefAssociation.objects.filter(namespace=namespace, resource_type__name=resource_type)
    found = _first(rows.select_related("resource_type"), resource_type)
    if found is None:
        said = _(
            "The metadata definition resource-type association of resource-type=%(type)s to namespace=%(namespace)s, was not found."
        )
        raise NotFound("ResourceType", resource_type, said % {"type": resource_type, "namespace": namespace})
    return found


def _part(model: type[Part], kind: str, namespace: MetadefNamespace, name: str) -> Part:
    found = _first(model._default_manager.filter(namespace=namespace, name=name), name)
    if found is None:
        raise NotFound(kind, name, _(_MISSING[kind]) % {"name": name, "namespace": namespace})
    return found


def _first(rows: QuerySet[Part], name: str) -> Part | None:
    """Return the row of this name; PostgreSQL takes no null character in a question."""
    return None if "\x00" in name else rows.first()
