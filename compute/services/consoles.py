"""Consoles: a right to open a display once, and the log of the first serial port."""

import hashlib
import logging
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import redis
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.services import sessions
from accounts.standing import Standing
from compute import policies
from compute.models import ConsoleToken, Host, Server
from compute.selectors import get_server
from compute.services.findings import Finding
from compute.states import PowerState, TaskState, VmState
from portal.core import bus, signing
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, CloudError, Conflict, Forbidden, Unavailable
from portal.core.policy import authorize

LOG = logging.getLogger(__name__)

NOVNC, NATIVE, SERIAL = "novnc", "xvpvnc", "serial"
DISPLAYS = {NOVNC: "vnc", NATIVE: "vnc", SERIAL: "serial"}
RELAY_TICKET = "relay"
LEASE_S = 15
CAUGHT_UP_S = 3.0
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # terminals obey the second lot too
_SHOWN = frozenset({VmState.ACTIVE, VmState.PAUSED, VmState.RESCUED})


@dataclass(frozen=True)
class ConsoleAccess:
    """A right to open a console: ``url`` is for people, ``websocket_path`` for a page that is open already."""

    url: str
    websocket_path: str
    expires_at: datetime
    token: str
    visit: str


@dataclass(frozen=True)
class Relay:
    """Where a display's bytes come from: ``address`` is ``unix:<path>`` or ``tcp:<host>:<port>``."""

    server_id: str
    holder: Standing
    address: str
    ticket: str
    kind: str
    visit: str
    session: str | None = None


def issue(*, ctx: RequestContext, server: Server, kind: str = NOVNC, session_key: str | None = None) -> ConsoleAccess:
    """Return a right to open the server's console once within the next minutes; only its digest is kept.

    One that a page asked for ends with the page's session.
    """
    authorize(ctx, policies.REMOTE_CONSOLES, server)
    if kind not in DISPLAYS:
        raise BadRequest(_("Unavailable console type %(kind)s.") % {"kind": kind})
    _require_running(server)
    token = secrets.token_urlsafe(32)
    row = ConsoleToken.objects.create(
        digest=digest_of(token),
        server=server,
        kind=kind,
        session=sessions.handle_of(session_key) if session_key else None,
        **asdict(Standing.of(ctx)),
        expires_at=timezone.now() + timedelta(seconds=settings.CONSOLE_TOKEN_LIFETIME_S),
    )
    url, websocket = _addresses(kind, token)
    return ConsoleAccess(url, websocket, row.expires_at, token, _visit_of(row.digest))


def _addresses(kind: str, token: str) -> tuple[str, str]:
    """Return the address for people and the path of the websocket. noVNC's own pages take the latter as ``path``."""
    socket = f"ws/{DISPLAYS[kind]}/?{urlencode({'token': token})}"
    if kind == SERIAL:
        return f"{settings.PUBLIC_URL.replace('http', 'ws', 1)}/{socket}", f"/{socket}"
    if kind == NATIVE:
        return f"{settings.PUBLIC_URL}/console/viewer/?{urlencode({'token': token})}", ""
    return f"{settings.PUBLIC_URL}/console/?{urlencode({'path': socket})}", f"/{socket}"


def redeem(token: str, kind: str = NOVNC) -> Relay:
    """Spend a token and return where the display is to be had; raises Forbidden for one that is unknown, old or spent."""
    return spend(digest_of(token), kind)


@transaction.atomic
def spend(digest: str, kind: str) -> Relay:
    """Spend the token of a digest, as ``redeem`` does."""
    if living(kind).filter(digest=digest).update(redeemed_at=timezone.now()) != 1:
        raise Forbidden(_("The console address is not valid any more."))
    row = ConsoleToken.objects.select_related("server").get(digest=digest)
    server = row.server
    if row.session is not None and not sessions.is_open(row.user_id, row.session):
        raise Forbidden(_("The console address is not valid any more."))
    _require_running(server)
    host = Host.objects.filter(name=server.host).first()
    if host is None or not host.relay:
        raise Unavailable(_("The host of instance %(id)s offers no consoles now.") % {"id": server.pk})
    ticket = ticket_for(server.pk, DISPLAYS[kind], hand_over=kind != SERIAL and host.relay.startswith("unix:"))
    LOG.info("Console %s of instance %s opened for user %s", row.kind, server.pk, row.user_id)
    return Relay(server.pk, row.holder, host.relay, ticket, kind, _visit_of(digest), row.session)


def ticket_for(server_id: str, display: str, *, hand_over: bool = False) -> str:
    """Return what the relay of a host demands: one display of one server, once.

    With ``hand_over`` a relay on the same machine gives the connection away instead of carrying its bytes.
    """
    wish = {"server_id": server_id, "kind": display, "hand_over": hand_over, **signing.once()}
    return signing.seal(bus.queue_key(), RELAY_TICKET, wish)


def living(kind: str) -> QuerySet[ConsoleToken]:
    """Return the tokens of a kind that can still be spent."""
    return ConsoleToken.objects.filter(kind=kind, redeemed_at=None, expires_at__gt=timezone.now())


def has_display(server: Server) -> bool:
    """Whether a guest is there to be looked at: one that runs, is paused or rescued, also while its resize waits to be confirmed."""
    if server.host is None or server.task_state == TaskState.DELETING:
        return False
    running = server.power_state in (PowerState.RUNNING, PowerState.PAUSED)
    return server.vm_state in _SHOWN or (server.vm_state == VmState.RESIZED and running)


def may_stay_open(server_id: str, ctx: RequestContext) -> bool:
    """Whether an open console may go on: the server runs, and the caller still has the right."""
    server = Server.objects.present().filter(pk=server_id).first()
    if server is None or not has_display(server):
        return False
    try:
        authorize(ctx, policies.REMOTE_CONSOLES, server)
    except CloudError:
        return False
    return True


def holder_may_go_on(relay: Relay) -> bool:
    """Whether a console that was opened by its token alone may go on: its holder still has the right, as roles stand now."""
    if relay.session is not None and not sessions.is_open(relay.holder.user_id, relay.session):
        return False
    ctx = relay.holder.context()
    return ctx is not None and may_stay_open(relay.server_id, ctx)


def readable_log(ctx: RequestContext, server_id: str) -> Server:
    """Return a server whose console log the caller may read."""
    server = get_server(ctx, server_id)
    authorize(ctx, policies.CONSOLE_OUTPUT, server)
    return server


def output(*, ctx: RequestContext, server: Server, lines: int | None = None) -> str:
    """Return the console log, or its last ``lines`` lines."""
    authorize(ctx, policies.CONSOLE_OUTPUT, server)
    if lines is not None and lines < 0:
        raise BadRequest(_("The length of console output must not be negative."))
    if server.host is None:
        raise Conflict(_("Instance %(id)s is not ready") % {"id": server.pk})
    try:
        text = read_log(server.pk, server.host).decode("utf-8", "replace")
    except redis.RedisError as error:
        raise Unavailable(_("The console log cannot be read now.")) from error
    return last_lines(without_control(text), lines)


def without_control(text: str) -> str:
    """Return the text without what a terminal would obey: a guest must not lead the screen of whoever reads its log."""
    return _CONTROL.sub("", text)


def last_lines(text: str, count: int | None) -> str:
    """Return the last lines of a text, all without a count; what follows the last line break counts as a line."""
    if count is None:
        return text
    return "\n".join(text.split("\n")[-count:]) if count else ""


def read_log(server_id: str, host: str) -> bytes:
    """Return the bytes of the log that its host puts on the stream while somebody holds the lease."""
    client, stream = queue(), stream_key(server_id)
    fresh = bool(client.set(lease_key(server_id), b"1", nx=True, ex=LEASE_S))
    newest: Any = client.xrevrange(stream, count=1)
    since = newest[0][0] if fresh and newest else b"0-0"
    if not fresh:
        client.set(lease_key(server_id), b"1", ex=LEASE_S)
    client.publish(f"nebulet:console:{host}", server_id)
    _wait_caught_up(client, stream, since)
    entries: Any = client.xrange(stream)
    return joined([fields for _id, fields in entries])


def _wait_caught_up(client: redis.Redis, stream: str, since: bytes) -> None:
    deadline = time.monotonic() + CAUGHT_UP_S
    while (left := deadline - time.monotonic()) > 0:
        found: Any = client.xread({stream: since}, block=max(1, int(left * 1000)))
        for entry_id, fields in found[0][1] if found else []:
            since = entry_id
            if fields.get(b"e") == b"caught-up":
                return


def joined(entries: list[dict[bytes, bytes]]) -> bytes:
    """Return the log that entries hold. Each says where its bytes lie in the file; a second telling replaces the first."""
    text, start = bytearray(), None
    for fields in entries:
        data, offset = fields.get(b"d"), int(fields.get(b"o", 0))
        if data is None:
            if fields.get(b"e") == b"restarted":
                text, start = bytearray(), None
            continue
        if start is None or offset < start:
            text, start = bytearray(data), offset
            continue
        text[offset - start :] = data
    return bytes(text)


def stream_key(server_id: str) -> str:
    """Return the name of the stream of a server's console log."""
    return f"nebulet:console:{server_id}"


def lease_key(server_id: str) -> str:
    """Return the name of the lease that keeps a server's console log flowing."""
    return f"nebulet:console-lease:{server_id}"


def expired() -> Iterator[Finding]:
    """Yield the tokens that nobody can use any more, as one finding."""
    old = ConsoleToken.objects.filter(expires_at__lt=timezone.now())
    count = old.count()
    if count:
        yield Finding(f"{count} console tokens have expired", "they are forgotten", old.delete)


def _require_running(server: Server) -> None:
    if not has_display(server):
        raise Conflict(_("Instance %(id)s is not ready") % {"id": server.pk})


def digest_of(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _visit_of(digest: str) -> str:
    """Return a name for what a token opens, that says nothing of the token."""
    return digest[:16]


@lru_cache(maxsize=1)
def queue() -> redis.Redis:
    """Return the connection to what web processes and hosts share."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=CAUGHT_UP_S + 2)
