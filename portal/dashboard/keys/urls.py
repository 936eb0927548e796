from django.urls import path

from portal.dashboard.keys import views

app_name = "keys"
urlpatterns = [
    path("", views.ListView.as_view(), name="list"),
    path("new/", views.NewView.as_view(), name="new"),
    path("import/", views.ImportView.as_view(), name="import"),
    path("<int:pk>/actions/<slug:name>/", views.KeyActionView.as_view(), name="action"),
    path("<int:pk>/actions/<slug:name>/why/", views.KeyWhyView.as_view(), name="why"),
    path("<int:pk>/actions/<slug:name>/command/", views.KeyCommandView.as_view(), name="command"),
]
