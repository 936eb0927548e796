"""The websockets of compute."""

from channels.security.websocket import WebsocketDenier
from django.urls import path, re_path

from compute.ws.console import ConsoleLog
from compute.ws.servers import ServerFeed
from compute.ws.vnc import Display, Serial

websocket_urlpatterns = [
    path("ws/servers/", ServerFeed.as_asgi()),
    path("ws/servers/<str:server_id>/log/", ConsoleLog.as_asgi()),
    path("ws/vnc/", Display.as_asgi()),
    path("ws/serial/", Serial.as_asgi()),
    re_path("", WebsocketDenier.as_asgi()),  # without it an unknown address is an exception, with its trace in the log
]
