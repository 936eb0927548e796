"""The names of OpenStack's own rules: a file that ran elsewhere may name rules of things that are not offered here."""

from functools import cache
from pathlib import Path


@cache
def names(service: str) -> frozenset[str]:
    """Return every rule name of OpenStack's service, as of its release 2026.1; none for services that are only ours."""
    path = Path(__file__).with_name(f"{service}.txt")
    return frozenset(path.read_text().split()) if path.exists() else frozenset()


def knows(service: str, name: str) -> bool:
    """Return whether OpenStack's service has a rule of this name."""
    return name in names(service)
