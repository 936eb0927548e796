from django.urls import path

from portal.dashboard.networks import views

app_name = "networks"
urlpatterns = [
    path("", views.ListView.as_view(), name="list"),
    path("new/", views.NewView.as_view(), name="new"),
    path("new/why/", views.WhyNewView.as_view(), name="why-new"),
    path("<uuid:pk>/actions/<slug:name>/", views.NetworkActionView.as_view(), name="action"),
    path("<uuid:pk>/actions/<slug:name>/why/", views.NetworkWhyView.as_view(), name="why"),
    path("<uuid:pk>/actions/<slug:name>/command/", views.NetworkCommandView.as_view(), name="command"),
]
