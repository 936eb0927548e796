"""Addresses of metadata definitions, below ``/image``."""

from django.urls import path

from images.api.v2.metadefs.namespaces import NamespaceDetailView, NamespacesView
from images.api.v2.metadefs.objects import ObjectDetailView, ObjectsView
from images.api.v2.metadefs.properties import PropertiesView, PropertyDetailView
from images.api.v2.metadefs.resource_types import AssociationDetailView, AssociationsView, ResourceTypesView
from images.api.v2.metadefs.schemas import MetadefSchemaView
from images.api.v2.metadefs.tags import TagDetailView, TagsView
from images.services.metadefs.schemas import PUBLISHED

_NAMESPACE = "/v2/metadefs/namespaces/<str:namespace>"

urlpatterns = [
    path("/v2/metadefs/resource_types", ResourceTypesView.as_view()),
    path("/v2/metadefs/namespaces", NamespacesView.as_view()),
    path(_NAMESPACE, NamespaceDetailView.as_view()),
    path(f"{_NAMESPACE}/objects", ObjectsView.as_view()),
    path(f"{_NAMESPACE}/objects/<str:name>", ObjectDetailView.as_view()),
    path(f"{_NAMESPACE}/properties", PropertiesView.as_view()),
    path(f"{_NAMESPACE}/properties/<str:name>", PropertyDetailView.as_view()),
    path(f"{_NAMESPACE}/tags", TagsView.as_view()),
    path(f"{_NAMESPACE}/tags/<str:name>", TagDetailView.as_view()),
    path(f"{_NAMESPACE}/resource_types", AssociationsView.as_view()),
    path(f"{_NAMESPACE}/resource_types/<str:name>", AssociationDetailView.as_view()),
    *(path(f"/v2/schemas/metadefs/{name}", MetadefSchemaView.as_view(name=name)) for name in PUBLISHED),
]
