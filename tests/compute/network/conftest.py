"""People for the tests of the network service."""

from typing import Any

import pytest

from tests.kit.identity import personas  # noqa: F401


@pytest.fixture(autouse=True)
def _urls(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.compute.api.urls"
    settings.NETWORK_CIDR = "10.180.0.0/24"
