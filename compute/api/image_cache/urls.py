"""Addresses of the caches, below ``/image``."""

from django.urls import path

from compute.api.image_cache.views import CachedImageView, CacheView, NodesView

urlpatterns = [
    path("/v2/cache", CacheView.as_view()),
    path("/v2/cache/", CacheView.as_view()),
    path("/v2/cache/<str:image_id>", CachedImageView.as_view()),
    path("/v2/cache/nodes/<str:image_id>", NodesView.as_view()),
]
