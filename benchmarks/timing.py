"""How the benchmarks take time."""

import gc
import statistics
import time
from collections.abc import Callable


def settle() -> None:
    """Have the garbage collector work as it does in the web process (portal/asgi.py)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(25_000, 20, 20)


def median_ms(act: Callable[[], object], rounds: int) -> float:
    """Return the median of some rounds, in milliseconds."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        act()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)
