"""How long a process that ended waits until it is started again."""

FIRST_S = 0.2
LONGEST_S = 10.0
HEALTHY_S = 30.0


class Backoff:
    """Doubles the pause with each end, up to a limit; a process that lived long enough begins anew."""

    __slots__ = ("_next",)

    def __init__(self) -> None:
        self._next = FIRST_S

    def after(self, lived_s: float) -> float:
        """Return the pause after a process that lived this long."""
        if lived_s >= HEALTHY_S:
            self._next = FIRST_S
        pause = self._next
        self._next = min(self._next * 2, LONGEST_S)
        return pause
