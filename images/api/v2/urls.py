"""Addresses of the Image API, below ``/image``."""

from django.urls import path, re_path

from images.api.v2.metadefs.urls import urlpatterns as metadefs
from images.api.v2.views.discovery import ImportView, StoresDetailView, StoresView, UnknownView, UsageView, VersionsView
from images.api.v2.views.images import (
    ImageActionView,
    ImageDetailView,
    ImageFileView,
    ImageStageView,
    ImagesView,
    ImageTagView,
)
from images.api.v2.views.imports import ImageTasksView, ImportImageView, TasksView, TaskView
from images.api.v2.views.locations import LocationsView
from images.api.v2.views.members import MembersView, MemberView
from images.api.v2.views.schemas import SCHEMAS, SchemaView
from images.api.v2.views.stores import StoreImageView

_IMAGE = "/v2/images/<str:image_id>"

urlpatterns = [
    path("", VersionsView.as_view(status=300)),
    path("/", VersionsView.as_view(status=300)),
    path("/versions", VersionsView.as_view()),
    path("/v2", VersionsView.as_view()),
    path("/v2/", VersionsView.as_view()),
    path("/v2/images", ImagesView.as_view()),
    path(_IMAGE, ImageDetailView.as_view()),
    path(f"{_IMAGE}/file", ImageFileView.as_view()),
    path(f"{_IMAGE}/stage", ImageStageView.as_view()),
    path(f"{_IMAGE}/locations", LocationsView.as_view()),
    path(f"{_IMAGE}/import", ImportImageView.as_view()),
    path(f"{_IMAGE}/tasks", ImageTasksView.as_view()),
    path("/v2/tasks", TasksView.as_view()),
    path("/v2/tasks/<str:task_id>", TaskView.as_view()),
    path("/v2/stores/<str:store>/<str:image_id>", StoreImageView.as_view()),
    path(f"{_IMAGE}/actions/deactivate", ImageActionView.as_view(action="deactivate")),
    path(f"{_IMAGE}/actions/reactivate", ImageActionView.as_view(action="reactivate")),
    path(f"{_IMAGE}/tags/<str:tag>", ImageTagView.as_view()),
    path(f"{_IMAGE}/members", MembersView.as_view()),
    path(f"{_IMAGE}/members/<str:member_id>", MemberView.as_view()),
    *(path(f"/v2/schemas/{name}", SchemaView.as_view(name=name)) for name in SCHEMAS),
    path("/v2/info/import", ImportView.as_view()),
    path("/v2/info/usage", UsageView.as_view()),
    path("/v2/info/stores", StoresView.as_view()),
    path("/v2/info/stores/detail", StoresDetailView.as_view()),
    *metadefs,
    re_path(r"^/.*$", UnknownView.as_view()),
]
