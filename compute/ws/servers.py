"""Which servers changed, for open pages."""

import asyncio
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from compute import notify, policies
from compute.ws import closing, crowd
from portal.core.context import RequestContext
from portal.core.policy import allowed

RECHECK_S = 30.0


class ServerFeed(crowd.TakesPlace, closing.EndsWithSession, AsyncJsonWebsocketConsumer):
    """Tell an open page the ids of servers that changed, each message with a running number ``n`` so that a gap shows."""

    ctx: RequestContext | None = None
    watch: "asyncio.Task[None] | None" = None

    async def connect(self) -> None:
        self.n = 0
        self.joined: list[str] = []
        self.ctx = self.scope.get("cloud_context")
        self.place = crowd.FEEDS.enter(self.ctx.user_id or "") if self.ctx is not None else None
        if self.ctx is None or self.place is None:
            await self.accept()  # a close before accepting loses its code
            await self.close(code=closing.SIGN_IN if self.ctx is None else closing.FULL)
            return
        self.joined = await database_sync_to_async(groups_of)(self.ctx)
        for group in self.joined:
            await self.channel_layer.group_add(group, self.channel_name)
        await self.listen_for_the_end()
        await self.accept()
        self.watch = asyncio.create_task(self._end_with_the_session())

    async def disconnect(self, code: int) -> None:
        if self.watch is not None:
            self.watch.cancel()
        for group in self.joined:
            await self.channel_layer.group_discard(group, self.channel_name)
        await self.stop_listening()

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """Pages have nothing to say here."""

    async def server_changed(self, event: dict[str, str]) -> None:
        self.n += 1
        await self.send_json({"id": event["id"], "n": self.n})

    async def _end_with_the_session(self) -> None:
        await closing.while_allowed(self._still_signed_in, RECHECK_S)
        await self.close(code=closing.SIGN_IN)

    async def _still_signed_in(self) -> bool:
        return await closing.same_caller(self.scope, self.ctx)


def groups_of(ctx: RequestContext) -> list[str]:
    """Return the groups that a caller may listen to: his project's, and everybody's for whoever lists all projects."""
    if allowed(ctx, policies.INDEX_ALL):
        return [notify.OPERATORS]
    return [notify.project_group(ctx.project_id)] if ctx.project_id and allowed(ctx, policies.INDEX) else []
