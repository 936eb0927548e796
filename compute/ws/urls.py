"""The websockets of compute."""

from django.urls import path

from compute.ws.console import ConsoleLog
from compute.ws.servers import ServerFeed
from compute.ws.vnc import Display

websocket_urlpatterns = [
    path("ws/servers/", ServerFeed.as_asgi()),
    path("ws/servers/<str:server_id>/log/", ConsoleLog.as_asgi()),
    path("ws/vnc/", Display.as_asgi()),
]
