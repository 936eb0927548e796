"""Which tests ask the database for something in which databases differ."""

from pathlib import Path

import pytest

_HERE = Path(__file__).parent
# Constraints, locks, case, pages and migrations: these run on every database, see tests/e2e/test_databases.py.
_DATABASES = (
    "accounts",
    "images/test_listing.py",
    "compute/api/test_servers.py",
    "compute/network/test_ports.py",
    "compute/services",
    "core/test_databases.py",
)
# What people click asks no more of a database than the services below it.
_PAGES = ("test_admin.py", "test_sign_in.py")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them, before pytest picks by marks."""
    places = [_HERE / name for name in _DATABASES]
    for item in items:
        if item.path.name not in _PAGES and any(item.path.is_relative_to(place) for place in places):
            item.add_marker(pytest.mark.databases)
