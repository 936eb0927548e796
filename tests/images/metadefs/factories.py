"""Namespaces of the tests."""

import factory
from factory.django import DjangoModelFactory

from images.models import MetadefAssociation, MetadefNamespace, MetadefObject, MetadefProperty, MetadefResourceType, MetadefTag
from images.states import NamespaceVisibility


class NamespaceFactory(DjangoModelFactory):
    """A private namespace of nobody in particular."""

    class Meta:
        model = MetadefNamespace

    namespace = factory.Sequence(lambda number: f"Space::{number:03}")
    owner = "f" * 32
    visibility = NamespaceVisibility.PRIVATE


class ObjectFactory(DjangoModelFactory):
    class Meta:
        model = MetadefObject

    name = "Limits"
    required = ["low"]
    properties = {"low": {"title": "Lowest", "type": "integer"}}


class PropertyFactory(DjangoModelFactory):
    class Meta:
        model = MetadefProperty

    name = "low"
    schema = {"title": "Lowest", "type": "integer", "minimum": 0}


class TagFactory(DjangoModelFactory):
    class Meta:
        model = MetadefTag

    name = "red"


class ResourceTypeFactory(DjangoModelFactory):
    class Meta:
        model = MetadefResourceType
        django_get_or_create = ("name",)

    name = "OS::Glance::Image"


class AssociationFactory(DjangoModelFactory):
    class Meta:
        model = MetadefAssociation

    resource_type = factory.SubFactory(ResourceTypeFactory)


def full_namespace(**fields):
    """Return a namespace with one of everything in it; on images its keys begin with ``hw_``."""
    namespace = NamespaceFactory(**fields)
    AssociationFactory(namespace=namespace, prefix="hw_")
    for each in (ObjectFactory, PropertyFactory, TagFactory):
        each(namespace=namespace)
    return namespace
