"""Caches of hosts: what is cached and queued, queue, remove.

Follows the Image API reference, "Cache manage". Upstream speaks of the caches of its API servers; here the images lie on the hosts.
"""

from rest_framework.request import Request
from rest_framework.response import Response

from compute import selectors
from compute.api.image_cache import shapes
from compute.services import image_cache
from compute.states import CacheState
from images import policies
from images.selectors import get_image
from portal.core.api.views import CloudView
from portal.core.errors import BadRequest

CLEAR_TARGET = "x-image-cache-clear-target"


class ImageCacheView(CloudView):
    """A view of the Image API."""

    service = "image"


class CacheView(ImageCacheView):
    """GET and DELETE /v2/cache"""

    def get(self, request: Request) -> Response:
        return Response(shapes.cache(selectors.host_images(self.ctx)))

    def delete(self, request: Request) -> Response:
        word = request.headers.get(CLEAR_TARGET, "").lower()
        if word not in list(image_cache.Target):
            raise BadRequest(f"{CLEAR_TARGET} must be 'cache', 'queue' or empty.")
        image_cache.clear(ctx=self.ctx, target=image_cache.Target(word))
        return Response(status=204)


class CachedImageView(ImageCacheView):
    """PUT and DELETE /v2/cache/{image_id}"""

    def put(self, request: Request, image_id: str) -> Response:
        image_cache.warm(ctx=self.ctx, image=get_image(self.ctx, image_id))
        return Response(status=202)

    def delete(self, request: Request, image_id: str) -> Response:
        """An image that was deleted may still lie on hosts."""
        if not selectors.host_images(self.ctx, policies.CACHE_DELETE).filter(image_id=image_id).exists():
            get_image(self.ctx, image_id)
        image_cache.evict(ctx=self.ctx, image_id=image_id)
        return Response(status=204)


class NodesView(ImageCacheView):
    """GET /v2/cache/nodes/{image_id}: the names of the hosts"""

    def get(self, request: Request, image_id: str) -> Response:
        rows = selectors.host_images(self.ctx, policies.CACHE_NODES)
        image = get_image(self.ctx, image_id)
        return Response([row.host.name for row in rows.filter(image_id=image.pk, state=CacheState.CACHED)])
