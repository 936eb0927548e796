"""Close codes of our websockets, and the watch that ends one whose right is gone."""

import asyncio
from collections.abc import Awaitable, Callable

SIGN_IN = 4401
REFUSED = 4403
GONE = 4404
ENDED = 4410
UNAVAILABLE = 4503

RECHECK_S = 5.0


async def while_allowed(still: Callable[[], Awaitable[bool]], every_s: float = RECHECK_S) -> None:
    """Return as soon as ``still`` says no; asked again and again, so a right that ends closes what it had opened."""
    while await still():
        await asyncio.sleep(every_s)
