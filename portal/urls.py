"""Every address on the one port. Composition, no logic."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from compute.api.instance_data import instance_data
from portal.health import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("identity", include("accounts.api.v3.urls")),
    path("image", include("compute.api.image_cache.urls")),
    path("image", include("images.api.v2.urls")),
    path("compute/instance-data", instance_data),
    path("compute", include("compute.api.v2_1.urls")),
    path("network", include("compute.network.api.v2_0.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="api-docs"),
    path("admin/", admin.site.urls),
    path("", include("portal.dashboard.urls")),
]
