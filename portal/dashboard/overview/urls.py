from django.urls import path

from portal.dashboard.overview import views

app_name = "overview"
urlpatterns = [path("", views.OverviewView.as_view(), name="list"), path("live/", views.LiveView.as_view(), name="live")]
