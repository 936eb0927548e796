"""What is not as it must be, and what mends it: found by the clock and by ``manage heal`` through the same functions."""

import logging
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from portal.core import log

LOG = logging.getLogger(__name__)

SLICE = 500

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Finding:
    """One thing in a sentence, what is done about it in another, and the function that does it. It may be called twice.

    ``request_id`` and ``server_id`` are what the log says of it meanwhile.
    """

    what: str
    remedy: str
    mend: Callable[[], object]
    request_id: str | None = None
    server_id: str | None = None


Find = Callable[[], Iterable[Finding]]


def slices(rows: QuerySet[M]) -> Iterator[M]:
    """Yield rows by their keys, so many at a time that memory holds them; what is yielded may be changed or deleted meanwhile."""
    keys = _keys(rows)
    for start in range(0, len(keys), SLICE):
        yield from _read(rows, keys[start : start + SLICE])


class Rounds:
    """Goes round the rows that need a look, one slice each time, so that none keeps the others from their turn."""

    def __init__(self) -> None:
        self._last: Any = None

    def next(self, rows: QuerySet[M]) -> list[M]:
        """Return the rows that follow those of the last time; after the last one come the first ones."""
        keys = _keys(rows)
        begin = 0 if self._last is None else bisect_right(keys, self._last)
        turn = [*keys[begin:], *keys[:begin]][:SLICE]
        self._last = turn[-1] if turn else None
        return _read(rows, turn)


def _keys(rows: QuerySet[Any]) -> list[Any]:
    """Return all keys in order; sorted here, lest SQLite walks through the whole table for the sake of the order."""
    return sorted(rows.order_by().values_list("pk", flat=True))


def _read(rows: QuerySet[M], keys: list[Any]) -> list[M]:
    return list(rows.filter(pk__in=keys).order_by("pk")) if keys else []


def attend(finders: Mapping[str, Find], *, dry_run: bool = False) -> Iterator[tuple[str, Finding, bool]]:
    """Look for everything, mend each thing that is found, and yield it with whether that went well.

    What cannot be mended, or even looked for, keeps nobody from the rest.
    """
    for name, find in finders.items():
        for finding in _found(name, find):
            yield name, finding, dry_run or _mend(finding)


def _found(name: str, find: Find) -> Iterator[Finding]:
    try:
        yield from find()
    except Exception:  # whatever it was, the next round looks again
        LOG.exception("The search %s failed", name)


def _mend(finding: Finding) -> bool:
    try:
        with log.bound(finding.request_id, finding.server_id):
            finding.mend()
    except Exception:
        LOG.exception("Not mended: %s", finding.what)
        return False
    return True
