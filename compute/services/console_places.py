"""Where a console is to be had: for operators who put a proxy of their own before it, and for native viewers."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from compute import policies
from compute.models import ConsoleToken, Host
from compute.services import consoles
from portal.core.context import RequestContext
from portal.core.errors import NotFound
from portal.core.policy import authorize


@dataclass(frozen=True)
class Place:
    """Where to connect: ``port`` is 0 where ``path`` names a Unix socket of the host."""

    server_id: str
    host: str
    port: int
    path: str | None = None


def place_of(*, ctx: RequestContext, token: str) -> Place:
    """Return where the console of a token that has not ended is to be had; it stays as good as it was."""
    authorize(ctx, policies.CONSOLE_TOKENS)
    rows = ConsoleToken.objects.filter(digest=consoles.digest_of(token), expires_at__gt=timezone.now())
    row = rows.select_related("server").first()
    if row is None:
        raise NotFound("Token", "", _("Token not found"))
    if row.kind == consoles.NATIVE:
        return Place(row.server_id, public_name(), settings.VIEWER_PORT)
    host = Host.objects.filter(name=row.server.host).first()
    kind, _colon, rest = (host.relay if host else "").partition(":")
    if kind != "tcp":
        return Place(row.server_id, row.server.host or "", 0, rest or None)
    name, _colon, port = rest.rpartition(":")
    return Place(row.server_id, name, int(port))


def public_name() -> str:
    """Return the name under which people reach this installation."""
    return urlsplit(settings.PUBLIC_URL).hostname or "127.0.0.1"
