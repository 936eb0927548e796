import pytest

from tests.kit.identity import personas  # noqa: F401


@pytest.fixture(autouse=True)
def _urls(settings):
    settings.ROOT_URLCONF = "tests.accounts.urls"
