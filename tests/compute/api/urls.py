"""The compute and network APIs and the images' caches alone, at their addresses."""

from django.contrib import admin
from django.urls import include, path

from compute.api.instance_data import instance_data

urlpatterns = [
    path("compute/instance-data", instance_data),
    path("compute", include("compute.api.v2_1.urls")),
    path("image", include("compute.api.image_cache.urls")),
    path("network", include("compute.network.api.v2_0.urls")),
    path("admin/", admin.site.urls),
]
