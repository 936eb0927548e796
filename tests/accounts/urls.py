"""The identity API alone, at its address."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [path("identity", include("accounts.api.v3.urls")), path("admin/", admin.site.urls)]
