"""What every test begins with: no secret in any log (tests/kit/secrecy.py), and whose the machine is (tests/kit/machine.py)."""

import pytest
from django.core.cache import cache

from tests.kit.machine import pytest_collection_modifyitems, pytest_runtest_protocol  # noqa: F401
from tests.kit.secrecy import (  # noqa: F401
    pytest_sessionfinish,
    pytest_sessionstart,
    pytest_terminal_summary,
    pytest_testnodedown,
)


@pytest.fixture(autouse=True)
def no_tries_remembered() -> None:
    """Counts of wrong passwords lie in the cache, which one test must not leave to the next."""
    cache.clear()
