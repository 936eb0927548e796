"""The browsable list of all calls."""

from typing import Any

_AGAIN = "{in_project}"
_OLDER = "/compute/v2/"


def once(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """Leave out addresses that name the caller's project first, and those of the older version: each is another one said again."""
    return [endpoint for endpoint in endpoints if _AGAIN not in endpoint[0] and not endpoint[0].startswith(_OLDER)]
