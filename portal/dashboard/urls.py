"""Addresses of the pages. A panel is a namespace; every address ends with a slash."""

from django.urls import include, path

from portal.dashboard.console.views import TokenViewerView, TokenWindowView
from portal.dashboard.overview.views import home

urlpatterns = [
    path("", home, name="home"),
    path("account/", include("portal.dashboard.account.urls")),
    path("overview/", include("portal.dashboard.overview.urls")),
    path("instances/", include("portal.dashboard.console.urls")),
    path("instances/", include("portal.dashboard.instances.urls")),
    path("console/", TokenWindowView.as_view(), name="token-console"),
    path("console/viewer/", TokenViewerView.as_view(), name="token-viewer"),
    path("images/", include("portal.dashboard.images.urls")),
    path("flavors/", include("portal.dashboard.flavors.urls")),
    path("networks/", include("portal.dashboard.networks.urls")),
    path("security-groups/", include("portal.dashboard.security_groups.urls")),
    path("shares/", include("portal.dashboard.access.urls")),
    path("api-access/", include("portal.dashboard.api_access.urls")),
    path("keys/", include("portal.dashboard.keys.urls")),
]
