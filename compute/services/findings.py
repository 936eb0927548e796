"""What is not as it must be, and what mends it: found by the clock and by ``manage heal`` through the same functions."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from portal.core import log

LOG = logging.getLogger(__name__)


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


def attend(finders: Mapping[str, Find], *, dry_run: bool = False) -> Iterator[tuple[str, Finding, bool]]:
    """Look for everything, mend each thing that is found, and yield it with whether that went well.

    What cannot be mended, or even looked for, keeps nobody from the rest.
    """
    for name, find in finders.items():
        for finding in _found(name, find):
            yield name, finding, dry_run or _mend(finding)


def _found(name: str, find: Find) -> list[Finding]:
    try:
        return list(find())
    except Exception:  # whatever it was, the next round looks again
        LOG.exception("The search %s failed", name)
        return []


def _mend(finding: Finding) -> bool:
    try:
        with log.bound(finding.request_id, finding.server_id):
            finding.mend()
    except Exception:
        LOG.exception("Not mended: %s", finding.what)
        return False
    return True
