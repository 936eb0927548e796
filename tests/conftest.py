"""What every test begins with."""

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def no_tries_remembered():
    """Counts of wrong passwords lie in the cache, which one test must not leave to the next."""
    cache.clear()
