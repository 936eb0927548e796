"""What is good once, or a few times: used codes and signatures, counted tries. Remembered in the cache, for minutes."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import redis
from django.core.cache import cache
from django.utils.translation import gettext as _

from portal.core.errors import Unavailable

LOG = logging.getLogger(__name__)


def use_up(mark: str, seconds: int) -> bool:
    """Return whether nobody used this before; one call carries both the test and the mark, so of many at once one wins."""
    with answering():
        return bool(cache.add(mark, True, seconds))


def count(tries: str, seconds: int) -> int:
    """Return the number of this try. Count before judging, so that many at once win nothing."""
    with answering():
        cache.add(tries, 0, seconds)
        try:
            return cache.incr(tries)
        except ValueError:  # forgotten between the two
            return 1


def forget(tries: str) -> None:
    """Begin to count anew."""
    with answering():
        cache.delete(tries)


@contextmanager
def answering() -> Iterator[None]:
    """Refuse while the cache does not answer: what cannot be remembered could be used twice."""
    try:
        yield
    except redis.RedisError as error:
        LOG.error("The cache does not answer: %s", error)
        raise Unavailable(_("This cannot be checked now. Try again later.")) from error
