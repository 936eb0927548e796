"""Messages to open websockets, sent when the present transaction commits; lost ones are what a page's own look makes good."""

import asyncio
import logging
import threading
from concurrent.futures import Future
from functools import lru_cache
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.db import transaction

LOG = logging.getLogger(__name__)


def publish(groups: list[str], message: dict[str, Any]) -> None:
    """Send a message to groups of websockets when the present transaction commits."""
    transaction.on_commit(lambda: _publish(groups, message))


def _publish(groups: list[str], message: dict[str, Any]) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    if isinstance(layer, InMemoryChannelLayer):  # one process, one loop: its queues belong to the caller's
        async_to_sync(_send)(layer, groups, message)
        return
    future: Future[None] = asyncio.run_coroutine_threadsafe(_send(layer, groups, message), _loop())
    future.add_done_callback(_note_fault)


async def _send(layer: Any, groups: list[str], message: dict[str, Any]) -> None:
    for group in groups:
        await layer.group_send(group, message)


@lru_cache(maxsize=1)
def _loop() -> asyncio.AbstractEventLoop:
    """Return a loop of our own: with one per call, the layer would connect anew for each message."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="feed", daemon=True).start()
    return loop


def _note_fault(future: "Future[None]") -> None:
    error = future.exception()
    if error is not None:
        LOG.warning("Pages were not told of a change: %s", error)
