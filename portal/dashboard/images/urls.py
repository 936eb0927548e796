from django.urls import path

from portal.dashboard.images import views

app_name = "images"
urlpatterns = [
    path("", views.ListView.as_view(), name="list"),
    path("rows/", views.RowsView.as_view(), name="rows"),
    path("new/", views.NewView.as_view(), name="new"),
    path("new/commands/", views.CommandsView.as_view(), name="commands"),
    path("new/why/", views.WhyNewView.as_view(), name="why-new"),
    path("definitions/", views.DefinitionsView.as_view(), name="definitions"),
    path("<uuid:pk>/", views.DetailView.as_view(), name="detail"),
    path("<uuid:pk>/live/", views.LiveView.as_view(), name="live"),
    path("<uuid:pk>/upload/", views.UploadView.as_view(), name="upload"),
    path("<uuid:pk>/actions/<slug:name>/", views.ImageActionView.as_view(), name="action"),
    path("<uuid:pk>/actions/<slug:name>/why/", views.ImageWhyView.as_view(), name="why"),
    path("<uuid:pk>/actions/<slug:name>/command/", views.ImageCommandView.as_view(), name="command"),
]
