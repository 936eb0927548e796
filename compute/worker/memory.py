"""Gives memory back to the system that was only needed for a while."""

import ctypes
import gc
import logging

LOG = logging.getLogger(__name__)

_M_ARENA_MAX = -8  # malloc.h


def keep_together() -> None:
    """Have all threads share two heaps; glibc would give each of them one, and none back."""
    try:
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)
    except (OSError, AttributeError):
        LOG.debug("This C library has no mallopt")


def give_back(*, thorough: bool = False) -> None:
    """Return what is free; after all modules are loaded (``thorough``) that is a quarter of the process."""
    if thorough:
        gc.collect()
        gc.freeze()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):
        LOG.debug("This C library has no malloc_trim")
