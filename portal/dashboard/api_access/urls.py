from django.urls import include, path

from portal.dashboard.api_access import views

app_name = "api-access"
credential_patterns = [
    path("<slug:pk>/actions/<slug:name>/", views.OtherActionView.as_view(), name="action"),
    path("<slug:pk>/actions/<slug:name>/why/", views.OtherWhyView.as_view(), name="why"),
    path("<slug:pk>/actions/<slug:name>/command/", views.OtherCommandView.as_view(), name="command"),
]
trust_patterns = [
    path("<slug:pk>/actions/<slug:name>/", views.TrustActionView.as_view(), name="action"),
    path("<slug:pk>/actions/<slug:name>/why/", views.TrustWhyView.as_view(), name="why"),
    path("<slug:pk>/actions/<slug:name>/command/", views.TrustCommandView.as_view(), name="command"),
]
urlpatterns = [
    path("", views.ListView.as_view(), name="list"),
    path("clouds.yaml", views.CloudsView.as_view(), name="clouds"),
    path("openrc.sh", views.OpenrcView.as_view(), name="openrc"),
    path("new/", views.NewView.as_view(), name="new"),
    path("credentials/", include((credential_patterns, "credentials"))),
    path("trusts/", include((trust_patterns, "trusts"))),
    path("<slug:pk>/actions/<slug:name>/", views.CredentialActionView.as_view(), name="action"),
    path("<slug:pk>/actions/<slug:name>/why/", views.CredentialWhyView.as_view(), name="why"),
    path("<slug:pk>/actions/<slug:name>/command/", views.CredentialCommandView.as_view(), name="command"),
]
