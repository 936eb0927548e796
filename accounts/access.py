"""Access rules: whether a request is among those that an application credential is confined to.

Follows Identity v3, "Access rules": the type of the service, the method, and a path below the service's address, in which ``*`` and
``{name}`` stand for one segment and ``**`` for anything.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

AccessRule = tuple[str, str, str]
Step = tuple[str, bool]

LONGEST_PATH = 4096
_PARTS = re.compile(r"\*\*|\*|\{[^}]*\}|.", re.DOTALL)
_ANY, _IN_SEGMENT = "any", "in segment"


def permits(rules: Iterable[AccessRule], method: str, path: str) -> bool:
    """Return whether one of the rules covers a request; ``path`` begins with the prefix of the service, such as ``/compute``."""
    service, _slash, below = path.lstrip("/").partition("/")
    return any(
        rule_service == service and rule_method == method and matches(pattern, f"/{below}")
        for rule_service, rule_method, pattern in rules
    )


def matches(pattern: str, path: str) -> bool:
    """Return whether a path is what the pattern says, in time that only grows with the product of their lengths.

    A regular expression with many wildcards could be made to run for hours.
    """
    if len(path) > LONGEST_PATH:
        return False
    steps = _steps(pattern)
    places = _onward(steps, {0})
    for char in path:
        reached = set()
        for place in places:
            if place < len(steps) and _accepts(steps[place][0], char):
                reached.add(place if steps[place][1] else place + 1)
        places = _onward(steps, reached)
        if not places:
            return False
    return len(steps) in places


@lru_cache(maxsize=1024)
def _steps(pattern: str) -> tuple[Step, ...]:
    """Return what a pattern asks of each character, and whether that may be repeated or left out."""
    steps: list[Step] = []
    for part in _PARTS.findall(pattern):
        if part == "**":
            steps.append((_ANY, True))
        elif part == "*" or len(part) > 1:
            steps += [(_IN_SEGMENT, False), (_IN_SEGMENT, True)]
        else:
            steps.append((part, False))
    return tuple(steps)


def _accepts(wanted: str, char: str) -> bool:
    return wanted in (char, _ANY) or (wanted == _IN_SEGMENT and char != "/")


def _onward(steps: tuple[Step, ...], places: set[int]) -> set[int]:
    """Return the places and those that are reached from them by leaving out what may be left out."""
    found: set[int] = set()
    for start in places:
        place = start
        while place not in found:
            found.add(place)
            if place < len(steps) and steps[place][1]:
                place += 1
    return found
