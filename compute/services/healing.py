"""Everything that looks for what is wrong and mends it, in one go: what the clock does every few seconds or minutes."""

import logging
from collections.abc import Callable, Iterator, Mapping

from accounts.services import sessions, shares, tokens
from compute.services import image_cache, invariants, repairs, sweeps
from compute.services.findings import Finding, attend
from images.services import data, leftovers
from images.services.imports import sweeps as image_sweeps
from portal.core.policy import records

LOG = logging.getLogger(__name__)

Chore = Callable[[], int]

_HOUSEKEEPING: dict[str, Chore] = {
    "tokens of the past": tokens.forget_expired,
    "sessions of the past": sessions.forget_expired,
    "uploads whose sender is gone": data.reclaim_silent_uploads,
    "bytes that belong to no image": leftovers.remove,
    "images that no host fetched": image_cache.give_up_old,
    "decisions of the past": records.sweep,
}
_CHORES: dict[str, Chore] = {
    "shares that are over": shares.sweep,
    "tasks of images": image_sweeps.sweep,
    **_HOUSEKEEPING,
}


def heal(*, dry_run: bool = False) -> Iterator[tuple[Finding, bool]]:
    """Mend all that can be mended, and yield each thing with whether that went well; ``dry_run`` only looks."""
    finders = {**sweeps.FINDERS, "operations": sweeps.all_operations, **repairs.FINDERS}
    for _name, finding, well in attend(finders, dry_run=dry_run):
        yield finding, well


def tidy() -> Iterator[tuple[str, int | None]]:
    """Do the chores of which only the number is known, and yield what of each went, None for one that failed."""
    return _do(_CHORES)


def keep_house() -> None:
    """Forget what is over."""
    for _each in _do(_HOUSEKEEPING):
        pass


def left() -> Iterator[str]:
    """Yield the sentences about what is not true and must be."""
    for check in invariants.ALL.values():
        yield from check()


def _do(chores: Mapping[str, Chore]) -> Iterator[tuple[str, int | None]]:
    for name, chore in chores.items():
        try:
            count: int | None = chore()
        except Exception:  # whatever it was, the others are due all the same
            LOG.exception("The chore %s failed", name)
            count = None
        yield name, count
