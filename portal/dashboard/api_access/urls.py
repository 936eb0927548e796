from django.urls import path

from portal.dashboard.api_access import views

app_name = "api-access"
urlpatterns = [
    path("", views.ListView.as_view(), name="list"),
    path("clouds.yaml", views.CloudsView.as_view(), name="clouds"),
    path("openrc.sh", views.OpenrcView.as_view(), name="openrc"),
    path("new/", views.NewView.as_view(), name="new"),
    path("<slug:pk>/actions/<slug:name>/", views.CredentialActionView.as_view(), name="action"),
    path("<slug:pk>/actions/<slug:name>/why/", views.CredentialWhyView.as_view(), name="why"),
    path("<slug:pk>/actions/<slug:name>/command/", views.CredentialCommandView.as_view(), name="command"),
]
