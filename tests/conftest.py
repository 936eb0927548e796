"""What every test begins with, which tests run on every database, and no secret in any log (tests/kit/secrecy.py)."""

from pathlib import Path

import pytest
from django.core.cache import cache

from tests.kit.secrecy import (  # noqa: F401
    pytest_sessionfinish,
    pytest_sessionstart,
    pytest_terminal_summary,
    pytest_testnodedown,
)

_HERE = Path(__file__).parent
# Constraints, locks, case, pages and migrations: these run on every database, see tests/e2e/test_databases.py.
_DATABASES = {
    "accounts": ("resources_api", "roles_api", "groups_api", "project_tree", "tokens", "quotas", "seed"),
    "images": ("listing", "narrowing"),
    "images/metadefs": ("namespaces", "parts", "seeding"),
    "compute/api": ("aggregates", "servers"),
    "compute/network": ("ports",),
    "compute/services": ("lifecycle", "parallel", "placement", "reports", "states", "sweeps", "visibility"),
    "core": ("databases",),
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them, before pytest picks by marks.

    Where several processes run tests, a file stays in one of them.
    """
    marked = {_HERE / folder / f"test_{name}.py" for folder, names in _DATABASES.items() for name in names}
    for item in items:
        if item.path in marked:
            item.add_marker(pytest.mark.databases)
        item.add_marker(pytest.mark.xdist_group(str(item.path)))


@pytest.fixture(autouse=True)
def no_tries_remembered() -> None:
    """Counts of wrong passwords lie in the cache, which one test must not leave to the next."""
    cache.clear()
