from django.urls import path

from portal.dashboard.flavors.views import ListView

app_name = "flavors"
urlpatterns = [path("", ListView.as_view(), name="list")]
