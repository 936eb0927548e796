"""Numbers of microversions."""

import re
from typing import NamedTuple

from portal.core.errors import BadRequest


class Version(NamedTuple):
    """A microversion such as 2.79; compares as numbers, not as text."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    @classmethod
    def parse(cls, text: str) -> "Version":
        """Return the version that ``2.79`` spells; raises BadRequest."""
        if not re.fullmatch(r"[1-9]\d{0,3}\.(0|[1-9]\d{0,5})", text):
            raise BadRequest(f"API Version String {text} is of invalid format. Must be of format MajorNum.MinorNum.")
        major, minor = text.split(".")
        return cls(int(major), int(minor))
