"""The browsable list of all calls."""

from typing import Any

_AGAIN = "{in_project}"


def once(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """Leave out addresses that name the caller's project first: each is another one said again."""
    return [endpoint for endpoint in endpoints if _AGAIN not in endpoint[0]]
