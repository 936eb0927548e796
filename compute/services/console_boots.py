"""What a server printed in earlier boots: its host keeps the newest few, and tells them through its relay."""

import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.translation import gettext as _

from compute import policies
from compute.models import Host, Server
from compute.services import consoles
from portal.core.context import RequestContext
from portal.core.errors import NotFound, Unavailable
from portal.core.policy import authorize

ANSWER_S = 5.0
MOST_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True)
class Boot:
    """One earlier boot: 1 is the one before the present."""

    number: int
    ended_at: datetime


def earlier(*, ctx: RequestContext, server: Server) -> list[Boot]:
    """Return the boots whose log is kept, the latest first."""
    authorize(ctx, policies.CONSOLE_OUTPUT, server)
    lines = [line.split() for line in _ask(server, "boots").decode().splitlines()]
    return [Boot(int(number), datetime.fromtimestamp(int(ended_at), UTC)) for number, ended_at in lines]


def log_of(*, ctx: RequestContext, server: Server, number: int) -> str:
    """Return what the server printed in an earlier boot."""
    authorize(ctx, policies.CONSOLE_OUTPUT, server)
    text = _ask(server, f"boot-{number}")
    if not text:
        raise NotFound("Boot", str(number))
    return consoles.without_control(text.decode("utf-8", "replace"))


def _ask(server: Server, question: str) -> bytes:
    """Return the host's answer; raises Unavailable."""
    host = Host.objects.filter(name=server.host).first()
    if host is None:
        return b""
    try:
        with _connected(host.relay) as relay:
            relay.sendall(consoles.ticket_for(server.pk, question).encode() + b"\n")
            return _all_of(relay)
    except (OSError, ValueError) as error:
        raise Unavailable(_("The host does not tell the logs of earlier boots now.")) from error


def _connected(address: str) -> socket.socket:
    kind, _colon, place = address.partition(":")
    if kind == "tcp":
        name, _colon, port = place.rpartition(":")
        return socket.create_connection((name, int(port)), timeout=ANSWER_S)
    relay = socket.socket(socket.AF_UNIX)
    relay.settimeout(ANSWER_S)
    relay.connect(place)
    return relay


def _all_of(relay: socket.socket) -> bytes:
    text, end = bytearray(), time.monotonic() + ANSWER_S
    while len(text) < MOST_BYTES and time.monotonic() < end:
        more = relay.recv(64 * 1024)
        if not more:
            break
        text += more
    return bytes(text)
