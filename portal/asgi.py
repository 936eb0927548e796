"""One port: websockets to Channels, image bytes to a raw ASGI receiver, all else to Django as WSGI in a thread pool.

Django under its own ASGI handler costs four times as much per request, since each synchronous middleware changes threads twice.
"""

import gc

from django.core.asgi import get_asgi_application

get_asgi_application()  # sets Django up before anything below is imported

from channels.routing import URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402

from accounts.websocket import SameOrigin, SessionContextMiddleware  # noqa: E402
from compute.ws.native import lifespan  # noqa: E402
from compute.ws.urls import websocket_urlpatterns  # noqa: E402
from images.api.v2.receiver import is_image_data, receive  # noqa: E402
from portal.core import connections, faults  # noqa: E402
from portal.core.faults import Process  # noqa: E402
from portal.core.policy import records  # noqa: E402
from portal.core.sockets import SocketLog  # noqa: E402
from portal.threads import ThreadPool  # noqa: E402
from portal.wsgi import application as django_application  # noqa: E402

connections.allow_many()
faults.listen(settings.FAULTS, Process.WEB)
records.start()

# What was made up to here stays for good: the collector need not walk through it again and again, a tenth of each request.
gc.collect()
gc.freeze()
gc.set_threshold(25_000, 20, 20)

_django = ThreadPool(django_application, workers=12)
_websockets = SocketLog(SameOrigin(SessionContextMiddleware(URLRouter(websocket_urlpatterns))), service="compute")


async def application(scope, receive_, send):  # type: ignore[no-untyped-def]
    """Hand each connection to the part that is made for it."""
    if scope["type"] == "lifespan":
        return await lifespan(receive_, send, bind=settings.VIEWER_BIND, port=settings.VIEWER_PORT)
    if scope["type"] == "websocket":
        return await _websockets(scope, receive_, send)
    if scope["type"] == "http" and is_image_data(scope):
        return await receive(scope, receive_, send)
    return await _django(scope, receive_, send)
