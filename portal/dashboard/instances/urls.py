from django.urls import path

from portal.dashboard.instances import views

app_name = "instances"
urlpatterns = [
    path("", views.ListView.as_view(), name="list"),
    path("rows/", views.RowsView.as_view(), name="rows"),
    path("new/", views.LaunchView.as_view(), name="new"),
    path("new/preview/", views.PreviewView.as_view(), name="preview"),
    path("new/why/", views.WhyLaunchView.as_view(), name="why-launch"),
    path("<uuid:pk>/", views.DetailView.as_view(), name="detail"),
    path("<uuid:pk>/live/<slug:tab>/", views.LiveView.as_view(), name="live"),
    path("<uuid:pk>/actions/<slug:name>/", views.InstanceActionView.as_view(), name="action"),
    path("<uuid:pk>/actions/<slug:name>/why/", views.InstanceWhyView.as_view(), name="why"),
    path("<uuid:pk>/actions/<slug:name>/command/", views.InstanceCommandView.as_view(), name="command"),
    path("<uuid:pk>/log/text/", views.LogTextView.as_view(), name="log-text"),
    path("<uuid:pk>/<slug:tab>/", views.DetailView.as_view(), name="tab"),
]
