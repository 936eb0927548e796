"""The log of every process: one form of line, the request and the server it speaks of, no secrets. No Django."""

from portal.core.log.access import Call, answered
from portal.core.log.context import bound
from portal.core.log.levels import refresh
from portal.core.log.setup import configure

__all__ = ["Call", "answered", "bound", "configure", "refresh"]
