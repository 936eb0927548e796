from django.urls import path

from portal.dashboard.console import boots, views

app_name = "console"
urlpatterns = [
    path("<uuid:pk>/console/", views.WindowView.as_view(), name="window"),
    path("<uuid:pk>/console/access/", views.AccessView.as_view(), name="access"),
    path("<uuid:pk>/console/viewer/", views.NativeView.as_view(), name="native"),
    path("<uuid:pk>/console/visitors/", views.VisitorsView.as_view(), name="visitors"),
    path("<uuid:pk>/console/boots/", boots.BootsView.as_view(), name="boots"),
    path("<uuid:pk>/console/boots/<int:number>/", boots.BootLogView.as_view(), name="boot-log"),
]
