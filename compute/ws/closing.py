"""Close codes of our websockets, and what ends one whose right is gone."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from accounts.services.sessions import user_group
from accounts.websocket import current_context
from portal.core.context import RequestContext

LOG = logging.getLogger(__name__)

SIGN_IN = 4401
REFUSED = 4403
GONE = 4404
ENDED = 4410
FULL = 4429
UNAVAILABLE = 4503

RECHECK_S = 5.0
UNANSWERED = 3


async def while_allowed(still: Callable[[], Awaitable[bool]], every_s: float = RECHECK_S) -> None:
    """Return as soon as ``still`` says no; asked again and again, so a right that ends closes what it had opened.

    Who cannot tell now, as while the database restarts, is asked again; UNANSWERED times in a row are a no.
    """
    unanswered = 0
    while unanswered < UNANSWERED:
        try:
            if not await still():
                return
            unanswered = 0
        except Exception:
            unanswered += 1
            LOG.exception("Whether something may stay open is not known now")
        await asyncio.sleep(every_s)


async def same_caller(scope: dict[str, Any], ctx: RequestContext | None) -> bool:
    """Whether the session that opened a socket still belongs to its user with the same roles in the same project."""
    cookie = scope.get("session_cookie")
    if cookie is None or ctx is None:
        return ctx is not None
    now = await current_context(cookie)
    return now is not None and (now.user_id, now.project_id, now.roles) == (ctx.user_id, ctx.project_id, ctx.roles)


class EndsWithSession:
    """For a consumer: it closes at once when the session that opened it is ended elsewhere.

    Its own watch does the same some seconds later, should the message be lost.
    """

    channel_layer: Any
    channel_name: str
    scope: Any
    close: Any
    ctx: RequestContext | None
    listening_to: str | None = None

    async def listen_for_the_end(self) -> None:
        """Hear of ended sessions; call it once the caller is known."""
        if self.ctx is not None and self.ctx.user_id is not None:
            self.listening_to = user_group(self.ctx.user_id)
            await self.channel_layer.group_add(self.listening_to, self.channel_name)

    async def stop_listening(self) -> None:
        """Hear no more."""
        if self.listening_to is not None:
            await self.channel_layer.group_discard(self.listening_to, self.channel_name)

    async def session_changed(self, event: dict[str, str]) -> None:
        """Answer the message that some session of the user was ended."""
        if not await same_caller(self.scope, self.ctx):
            await self.close(code=SIGN_IN)
