"""How many websockets may be open at once: this process has room for so many, and nobody may have all of it.

An open console costs some 55 KiB (0.7 MiB while its guest takes nothing that its user sends), two descriptors, and 0.6 ms of the processor
each second to look at its rights.
"""

from collections import Counter
from typing import Any

_ALL = ""


class Crowd:
    """Those who have something open: at most ``most`` together, and ``each`` of one user or of one server."""

    def __init__(self, most: int, each: int) -> None:
        self.most, self.each = most, each
        self._there: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._there[_ALL]

    def enter(self, *owners: str) -> "Place | None":
        """Return a place for one more of these owners, None where there is none."""
        if len(self) >= self.most or any(self._there[owner] >= self.each for owner in owners):
            return None
        self._there.update((_ALL, *owners))
        return Place(self, owners)

    def leave(self, owners: tuple[str, ...]) -> None:
        """Take one away, and forget of whom there is none."""
        self._there -= Counter((_ALL, *owners))


class Place:
    """One that is open."""

    def __init__(self, crowd: Crowd, owners: tuple[str, ...]) -> None:
        self._crowd, self._owners = crowd, owners

    def leave(self) -> None:
        """Give it back."""
        self._crowd.leave(self._owners)


class TakesPlace:
    """For a consumer: the ``place`` that it has is left however it ends."""

    place: Place | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)  # type: ignore[misc]
        finally:
            if self.place is not None:
                self.place.leave()


CONSOLES = Crowd(most=1_000, each=200)
FEEDS = Crowd(most=5_000, each=200)
TOLD = "Too many are open at once. Close some and try again."
