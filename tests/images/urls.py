"""The image API alone, at its address."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [path("image", include("images.api.v2.urls")), path("admin/", admin.site.urls)]
