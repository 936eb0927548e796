"""What tells of two commands to one server which was asked for later, in whatever order they arrive."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Ordered:
    """Base of a guest's commands. ``order`` grows with each operation of a server (``Server.operation_order``); 0: it has no place."""

    order: int = field(default=0, compare=False)
