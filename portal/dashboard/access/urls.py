from django.urls import path

from portal.dashboard.access import views

app_name = "access"
urlpatterns = [
    path("", views.ListView.as_view(), name="list"),
    path("<str:kind>/<uuid:pk>/", views.ShareView.as_view(), name="share"),
    path("<str:kind>/<uuid:pk>/<str:share>/end/", views.EndView.as_view(), name="end"),
]
