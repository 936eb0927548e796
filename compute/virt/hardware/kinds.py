"""Kinds of values: each takes the text that people wrote and returns what it means, or raises Refused with half a sentence."""

import re
from collections.abc import Callable
from typing import Any

from compute.virt.errors import DriverError

Kind = Callable[[str], Any]

_YES = ("1", "t", "true", "on", "y", "yes")
_NO = ("0", "f", "false", "off", "n", "no")
_UNITS = {"": 1, "k": 1, "m": 1024, "g": 1024**2, "t": 1024**3}


class Refused(DriverError):
    """A wish that no guest can have; the text is a sentence for people."""


def words(*allowed: str) -> Kind:
    """Return a kind that takes one of a few words."""

    def word(text: str) -> str:
        if text not in allowed:
            raise Refused(f"is not one of {', '.join(allowed)}")
        return text

    return word


def whole(least: int | None = None, most: int | None = None) -> Kind:
    """Return a kind that takes a whole number within bounds."""

    def number(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,20}", text):
            raise Refused("is not a whole number")
        found = int(text)
        if least is not None and found < least:
            raise Refused(f"is less than {least}")
        if most is not None and found > most:
            raise Refused(f"is more than {most}")
        return found

    return number


def matching(pattern: str, what: str) -> Kind:
    """Return a kind that takes text of one form; ``what`` completes "is not …"."""

    def text_of(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise Refused(f"is not {what}")
        return text

    return text_of


def yes_or_no(text: str) -> bool:
    """Return the truth of a word."""
    if text.strip().lower() in _YES:
        return True
    if text.strip().lower() in _NO:
        return False
    raise Refused("is neither true nor false")


def anything(text: str) -> str:
    """Return the text: it means something to another part of the cloud."""
    return text


def page_size(text: str) -> str:
    """Return ``small``, ``large``, ``any`` or the size of memory pages in KiB."""
    if text in ("small", "large", "any"):
        return text
    found = re.fullmatch(r"([0-9]{1,9})([kKMGT]?)i?(b|bit|B)?", text)
    if not found or not int(found[1]):
        raise Refused("is not small, large, any or a size such as 2MB")
    return str(int(found[1]) * _UNITS[found[2].lower()])
